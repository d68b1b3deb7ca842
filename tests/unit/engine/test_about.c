/* The first sentence of what a model says of itself. */
#include "app/engine/about.h"
#include "tests/check.h"

int main(void)
{
    static const char *const cases[][2] = {
        { "It knows drawn shapes. Photographs are foreign to it.", "It knows drawn shapes." },
        { " Knows things, e.g. cats,\nand 1.5 million words! Nothing else.",
          "Knows things, e.g. cats, and 1.5 million words!" },
        { "no end", "no end" },
        { "", "" },
        { " \n ", "" },
        { "Eins? \xc3\x9c" "ber zwei.", "Eins?" },
        { "bad \xff byte. Next", "bad \xef\xbf\xbd byte." },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = about_first_sentence(cases[i][0]);
        REQUIRE_STR(got, cases[i][1]);
    }
    return 0;
}
