/* What a label asks the model: reading of expressions, and sums of embeddings. */
#include "app/words/prompt_expression.h"
#include "tests/check.h"

static struct prompt_expression *parse(const char *name, const char *text)
{
    GError *error = NULL;
    struct prompt_expression *e = prompt_expression_new(name, text, "a photo of %s", &error);
    if (!e) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    return e;
}

static void require_key(const char *name, const char *text, const char *want)
{
    struct prompt_expression *e = parse(name, text);
    REQUIRE_STR(e->key, want);
    prompt_expression_free(e);
}

/* What is a label as it always was. */
static void test_plain(void)
{
    static const char *const labels[] = {
        "boat", "rusty bicycle", "t-shirt", "C++", "16:9", "2:harbour", "rock+roll", "-5",
        "12\" ruler", "boat -", "- boat", "a {b}", "0.5:x", "+" };
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        struct prompt_expression *e = parse(labels[i], NULL);
        g_autofree char *want = g_strconcat("a photo of ", labels[i], NULL);
        REQUIRE_INT(e->n, 1);
        REQUIRE_STR(e->key, want);
        REQUIRE_STR(e->parts[0].prompt, want);
        prompt_expression_free(e);
    }
    require_key("boat", " ship ", "a photo of ship");
}

static void test_forms(void)
{
    require_key("x", "\"rock + roll\"", "a photo of rock + roll");
    require_key("x", "\"a \\\"b\\\" \\\\ {}\"", "a photo of a \"b\" \\ {}");
    require_key("boat", "a drawing of {}", "a drawing of boat");
    require_key("boat", "{}|a drawing of {}, or {}",
                "1:\"boat\" | \"a drawing of boat, or boat\"");
    require_key("boat", "boat | ship", "1:\"a photo of boat\" | \"a photo of ship\"");
    require_key("x", "boat + night - 2:harbour",
                "1:\"a photo of boat\" + 1:\"a photo of night\" - 2:\"a photo of harbour\"");
    require_key("boat", "- .5:a + {} at night | \"t - shirt\"",
                " - 0.5:\"a photo of a\" + 1:\"boat at night\" | \"a photo of t - shirt\"");
    require_key("a + a", NULL, "1:\"a photo of a\" + 1:\"a photo of a\"");
}

static void require_fault(const char *text, const char *part)
{
    g_autoptr(GError) error = NULL;
    REQUIRE(!prompt_expression_new("x", text, "%s", &error));
    REQUIRE(g_error_matches(error, PROMPT_EXPRESSION_ERROR,
                            PROMPT_EXPRESSION_ERROR_SYNTAX));
    if (!strstr(error->message, part)) {
        fprintf(stderr, "%s: \"%s\" has no \"%s\"\n", text, error->message, part);
        exit(1);
    }
}

static void test_faults(void)
{
    require_fault("", "column 1: here a word");
    require_fault("  ", "column 3: here a word");
    require_fault("boat + ", "column 8: here a word");
    require_fault("boat |", "column 7: here a word");
    require_fault("é | + b", "column 5: here a word");
    require_fault("\"boat", "column 1: this quote");
    require_fault("a + \"boat", "column 5: this quote");
    require_fault("\"boat\" ship", "column 8: after a quote");
    require_fault("a + 0:b", "column 5: a weight");
    require_fault("a + 1e9:b", "column 5: a weight");
    g_autoptr(GError) error = NULL;
    REQUIRE(!prompt_expression_new("a + {} b", NULL, "%s", &error));
    REQUIRE(strstr(error->message, "column 5: {} is the name"));
    GString *many = g_string_new("a");
    for (int i = 0; i < 100; i++) {
        g_string_append(many, " + a");
    }
    require_fault(many->str, "too many");
    g_string_free(many, TRUE);
}

static double length_of(const float *row)
{
    return sqrt((double)row[0] * row[0] + (double)row[1] * row[1]);
}

static void test_combine(void)
{
    struct prompt_expression *plain = parse("x", NULL), *sum = parse("x", "a + b");
    struct prompt_expression *mean = parse("x", "a | b"), *minus = parse("x", "a - 2:b");
    struct prompt_expression *nothing = parse("x", "a - a");
    const float rows[4] = { 3, 0, 0, 1 };
    float out[2];
    g_autoptr(GError) error = NULL;
    const float odd[2] = { 0.1f, -7e-30f };
    REQUIRE(prompt_expression_combine(plain, odd, 2, out, NULL));
    REQUIRE(memcmp(out, odd, sizeof out) == 0); /* to the last bit */
    REQUIRE(prompt_expression_combine(sum, rows, 2, out, NULL));
    REQUIRE(fabs(out[0] - sqrt(2)) < 1e-6 && fabs(out[1] - sqrt(2)) < 1e-6);
    REQUIRE(fabs(length_of(out) - 2) < 1e-6); /* as long as its parts are */
    REQUIRE(prompt_expression_combine(mean, rows, 2, out, NULL));
    REQUIRE(fabs(out[0] - out[1]) < 1e-6);
    REQUIRE(prompt_expression_combine(minus, rows, 2, out, NULL));
    REQUIRE(fabs(out[1] / out[0] + 2) < 1e-6 && fabs(length_of(out) - 2) < 1e-6);
    const float same[4] = { 3, 1, 3, 1 };
    REQUIRE(!prompt_expression_combine(nothing, same, 2, out, &error));
    REQUIRE(g_error_matches(error, PROMPT_EXPRESSION_ERROR,
                            PROMPT_EXPRESSION_ERROR_CANCELLED_OUT));
    const float zero[4] = { 0 };
    REQUIRE(!prompt_expression_combine(sum, zero, 2, out, NULL));
    struct prompt_expression *all[] = { plain, sum, mean, minus, nothing };
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        prompt_expression_free(all[i]);
    }
}

/* Two phrasings of one word weigh no more than one phrasing of another. */
static void test_terms_are_averaged(void)
{
    struct prompt_expression *e = parse("x", "a | b | c + d");
    const float rows[8] = { 1, 0, 5, 0, 2, 0, 0, 1 };
    float out[2];
    REQUIRE_INT(e->n, 4);
    REQUIRE_INT(e->terms, 2);
    REQUIRE(prompt_expression_combine(e, rows, 2, out, NULL));
    REQUIRE(fabs(out[0] - out[1]) < 1e-6);
    prompt_expression_free(e);
}

static void test_split(void)
{
    g_autoptr(GPtrArray) labels =
        prompt_expression_split(" boat, rusty bicycle,,boat ,\"a, b\" + c, 12\" ruler, z");
    static const char *const want[] = { "boat", "rusty bicycle", "\"a, b\" + c",
                                        "12\" ruler", "z" };
    REQUIRE_INT(labels->len, 5);
    for (guint i = 0; i < 5; i++) {
        REQUIRE_STR(labels->pdata[i], want[i]);
    }
}

/* The first of two labels of one name is taken; a sign with nothing on one side is text. */
static void test_wordings(void)
{
    static const char *const want[][2] = {
        { "boat", "ship | {} := x" }, { "a", NULL }, { ":= c", NULL }, { "d :=", NULL } };
    g_autoptr(GPtrArray) labels =
        prompt_expression_split("boat := ship | {} := x, a, := c, boat:=other, d :=");
    g_autoptr(GPtrArray) wordings = prompt_expression_take_wordings(labels);
    REQUIRE_INT(labels->len, 4);
    REQUIRE_INT(wordings->len, 4);
    for (guint i = 0; i < 4; i++) {
        REQUIRE_STR(labels->pdata[i], want[i][0]);
        REQUIRE(g_strcmp0(wordings->pdata[i], want[i][1]) == 0);
    }
}

int main(void)
{
    test_plain();
    test_forms();
    test_faults();
    test_combine();
    test_terms_are_averaged();
    test_split();
    test_wordings();
    return 0;
}
