// What the two transforms around a Winograd product share. A map is cut into tiles of
// OUT x OUT results, each made from (OUT+2) x (OUT+2) values; OUT is 2 or 4. Between the
// transforms, point q = i * (OUT+2) + j of channel group c of tile n lies at vec4
// (q * channels4 + c) * n_total + n: a matrix for each point, columns along memory.
// A group of 8 lanes takes 8 tiles of one channel group.
const int SIDE = OUT + 2;

// The points: 0, 1, -1 and infinity for OUT 2; 0, A, -A, B, -B and infinity for OUT 4.
// 3/4 and 3/2 are exact, as are their products, and lose half as much of the result to
// rounding as the usual 1 and 2. compute/graph/pack_winograd.c has the same points.
const float A = 0.75, B = 1.5, A2 = A * A, B2 = B * B, A2B2 = A2 * B2;

layout(push_constant) uniform Push {
    uint n_total;    // tiles of all images of this dispatch
    uint first;      // first image of this dispatch
    uint tiles;      // of an image
    uint tiles_x;    // in a row of tiles
    uint channels4;  // channel groups
    uint height, width;
    float slope;
};

// Tile n: its image, and the row and column of its first result.
void locate(uint n, out uint image, out int row, out int column)
{
    image = n / tiles;
    uint tile = n - image * tiles;
    image += first;
    row = int(tile / tiles_x);
    column = (int(tile) - row * int(tiles_x)) * OUT;
    row *= OUT;
}
