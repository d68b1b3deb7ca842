#version 450
// Gradients of attention. P is [images][heads][queries][keys rounded up to 4]. One vec4 of
// the result an invocation.
//   MODE 0  rows of queries: sum over keys of P times rows of A (keys)
//   MODE 1  rows of keys: sum over queries of P times rows of A (queries)
//   MODE 2  P itself: products of rows of A (queries) and V (keys)
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint MODE = 0;
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
layout(binding = 0) readonly buffer PBuffer { float p[]; };
layout(binding = 1) readonly buffer ABuffer { float a[]; };
layout(binding = 2) readonly buffer VBuffer { float v[]; };
layout(binding = 3) writeonly buffer YBuffer { vec4 y[]; };

uint p_row()
{
    return (keys + 3u) / 4u * 4u;
}

float over_keys(uint image, uint query, uint c)
{
    uint p_at = ((image * heads + c / head_width) * queries + query) * p_row();
    uint a_at = image * keys * a_row + a_column + c;
    float sum = 0.0;
    for (uint t = 0u; t < keys; t++) {
        sum += p[p_at + t] * a[a_at + t * a_row];
    }
    return sum;
}

float over_queries(uint image, uint key, uint c)
{
    uint p_at = (image * heads + c / head_width) * queries * p_row() + key;
    uint a_at = (a_shared != 0u ? 0u : image) * queries * a_row + a_column + c;
    float sum = 0.0;
    for (uint q = 0u; q < queries; q++) {
        sum += p[p_at + q * p_row()] * a[a_at + q * a_row];
    }
    return sum;
}

float row_value(uint i, uint j)
{
    uint width4 = y_row / 4u, column = i % width4 * 4u + j, row = i / width4;
    uint rows = MODE == 0u ? queries : keys;
    if (column < y_column || column >= y_column + heads * head_width) {
        return 0.0;
    }
    uint c = column - y_column, image = row / rows, r = row % rows;
    if (MODE == 1u) {
        return over_queries(image, r, c);
    }
    float sum = 0.0;
    for (uint b = 0u; b < (y_shared != 0u ? images : 1u); b++) {
        sum += over_keys(y_shared != 0u ? b : image, r, c);
    }
    return sum;
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
    for (uint k = 0u; k < head_width; k++) {
        sum += a[a_at + k] * v[v_at + k];
    }
    return sum;
}

void main()
{
    uint stride = gl_NumWorkGroups.x * 64u;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) {
        vec4 result;
        for (uint j = 0u; j < 4u; j++) {
            result[j] = (MODE == 2u ? product(i, j) : row_value(i, j)) * factor;
        }
        y[i] = result;
    }
}
