/* The check vectors that come with the formula. */
#include "compute/nets/formula.h"
#include "tests/check.h"

static const struct { const char *name; int rank; uint64_t shape[4]; float first[3]; }
rows[] = {
    { "body.conv1.conv.weight", 4, { 64, 48, 3, 3 },
      { 0.061320588f, -0.0524001084f, -0.0525994785f } },
    { "body.conv1.bn.running_var", 1, { 64 }, { 0.91952306f, 1.08308196f, 1.18809783f } },
    { "body.layer1.0.conv2.bn.weight", 1, { 64 },
      { 0.515254915f, 0.492577583f, 0.553464472f } },
    { "body.layer3.0.se.fc1.weight", 4, { 128, 256, 1, 1 },
      { -0.0154711073f, 0.102270558f, 0.00558232563f } },
    { "head.decoder.duplicate_pooling", 2, { 768, 1 },
      { 0.0230984837f, 0.0124774054f, 0.0580461696f } },
    { "text_projection", 2, { 512, 512 }, { -0.0414984487f, 0.0587606542f, 0.0237239432f } },
    { "visual.class_embedding", 1, { 768 }, { -0.839927077f, -0.83415854f, 0.997437716f } },
};

int main(void)
{
    REQUIRE(formula_hash("body.conv1.conv.weight") == 0x418631ab4b802fc8u);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        uint64_t count = 1;
        for (int i = 0; i < rows[r].rank; i++) {
            count *= rows[r].shape[i];
        }
        float *values = malloc(count * sizeof *values);
        formula_weights(rows[r].name, rows[r].shape, rows[r].rank, values);
        for (int i = 0; i < 3; i++) {
            REQUIRE(fabsf(values[i] - rows[r].first[i]) < 1e-7f);
        }
        free(values);
    }
    return 0;
}
