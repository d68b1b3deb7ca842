#version 450
#extension GL_GOOGLE_include_directive : require
// Gradients of attention. P is [images][heads][queries][keys rounded up to 4]. One vec4 of
// the result an invocation; with WHOLE its four columns lie in one head, and so do those
// that it is made of.
//   MODE 0  rows of queries: sum over keys of P times rows of A (keys)
//   MODE 1  rows of keys: sum over queries of P times rows of A (queries)
//   MODE 2  P itself: products of rows of A (queries) and V (keys)
#include "source.glsl"
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0;
layout(constant_id = 1) const bool WHOLE = false;
layout(push_constant) uniform Push {
    uint count;      // vec4s of the result
    uint images, heads, queries, keys, head_width;
    uint y_row, y_column; // modes 0, 1: floats of a row, first column
    uint a_row, a_column; // floats of a row, first column
    uint v_row, v_column; // mode 2
    uint y_shared;   // mode 0: one result for all images
    uint a_shared;   // mode 1: the same rows for every image
    float factor;
};
SOURCE(0, p);
SOURCE(1, a);
SOURCE(2, v);
layout(binding = 3) writeonly buffer YBuffer { vec4 y[]; };

float p_value(uint at) { return AT(p, at / 4u)[at % 4u]; }
float a_value(uint at) { return AT(a, at / 4u)[at % 4u]; }
float v_value(uint at) { return AT(v, at / 4u)[at % 4u]; }

uint p_row()
{
    return (keys + 3u) / 4u * 4u;
}

// Columns c to c + 3 of a row of A, of which the first alone counts without WHOLE.
vec4 a_columns(uint at)
{
    return WHOLE ? AT(a, at / 4u) : vec4(a_value(at));
}

vec4 over_keys(uint image, uint query, uint c)
{
    uint p_at = ((image * heads + c / head_width) * queries + query) * p_row();
    uint a_at = image * keys * a_row + a_column + c;
    vec4 sum = vec4(0.0);
    for (uint t = 0u; t < keys; t++) {
        sum += p_value(p_at + t) * a_columns(a_at + t * a_row);
    }
    return sum;
}

vec4 over_queries(uint image, uint key, uint c)
{
    uint p_at = (image * heads + c / head_width) * queries * p_row() + key;
    uint a_at = (a_shared != 0u ? 0u : image) * queries * a_row + a_column + c;
    vec4 sum = vec4(0.0);
    for (uint q = 0u; q < queries; q++) {
        sum += p_value(p_at + q * p_row()) * a_columns(a_at + q * a_row);
    }
    return sum;
}

// From column `column` of a row on.
vec4 row_columns(uint row, uint column)
{
    uint rows = MODE == 0u ? queries : keys;
    if (column < y_column || column >= y_column + heads * head_width) {
        return vec4(0.0);
    }
    uint c = column - y_column, image = row / rows, r = row % rows;
    if (MODE == 1u) {
        return over_queries(image, r, c);
    }
    vec4 sum = vec4(0.0);
    for (uint b = 0u; b < (y_shared != 0u ? images : 1u); b++) {
        sum += over_keys(y_shared != 0u ? b : image, r, c);
    }
    return sum;
}

vec4 row_values(uint i)
{
    uint width4 = y_row / 4u, column = i % width4 * 4u, row = i / width4;
    if (WHOLE) {
        return row_columns(row, column);
    }
    vec4 result;
    for (uint j = 0u; j < 4u; j++) {
        result[j] = row_columns(row, column + j).x;
    }
    return result;
}

float product(uint i, uint j)
{
    uint t = i % (p_row() / 4u) * 4u + j, row = i / (p_row() / 4u);
    uint query = row % queries, head = row / queries % heads, image = row / queries / heads;
    if (t >= keys) {
        return 0.0;
    }
    uint a_at = (image * queries + query) * a_row + a_column + head * head_width;
    uint v_at = (image * keys + t) * v_row + v_column + head * head_width;
    float sum = 0.0;
    if (WHOLE) {
        for (uint k = 0u; k < head_width; k += 4u) {
            sum += dot(AT(a, (a_at + k) / 4u), AT(v, (v_at + k) / 4u));
        }
        return sum;
    }
    for (uint k = 0u; k < head_width; k++) {
        sum += a_value(a_at + k) * v_value(v_at + k);
    }
    return sum;
}

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        vec4 result = vec4(0.0);
        if (MODE == 2u) {
            for (uint j = 0u; j < 4u; j++) {
                result[j] = product(i, j);
            }
        } else {
            result = row_values(i);
        }
        y[i] = result * factor;
    }
}
