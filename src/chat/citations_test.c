#include "chat/citations.h"

#include "base/utf8.h"
#include "chat/fold.h"
#include "tests/support/test.h"

static const char lease[] =
    "Chapter 4. Rent\n"
    "The monthly rent is 1,250 euros. It is due on the 3rd working day of each month.\n"
    "The tenant shall keep a deposit of three months’ rent with a bank. Pets are allowed only with "
    "the written con-\nsent of the landlord.\n";

struct judged {
    struct cria_arena arena;
    struct cria_evidence evidence;
    struct cria_citations citations;
};

static void judge(struct judged *judged, const char *answer, bool is_weak)
{
    static const uint32_t ids[] = {7, 8};
    struct cria_passage passages[2] = {
        {.id = 7,
         .index_id = CRIA_STR_INIT("idx-1"),
         .file_id = CRIA_STR_INIT("dfl-1"),
         .document_id = CRIA_STR_INIT("doc-1"),
         .file_name = CRIA_STR_INIT("Lease.pdf"),
         .page_start = 4,
         .page_end = 4,
         .char_start = 100,
         .text = cria_str_from(lease)},
        {.id = 8,
         .document_id = CRIA_STR_INIT("doc-2"),
         .char_start = 5,
         .text = CRIA_STR_INIT("Der Vermieter zahlt die Grundsteuer. 家賃は毎月五日に払う。")},
    };
    cria_arena_init(&judged->arena, 4 << 20);
    cria_evidence_init(&judged->evidence, &judged->arena, 0);
    for (size_t i = 0; i < 2; i++) {
        passages[i].char_end = passages[i].char_start + cria_utf8_count(passages[i].text);
        assert_non_null(cria_evidence_add(&judged->evidence, &passages[i]));
    }
    assert_int_equal(cria_citations_make(&judged->arena, &judged->evidence, ids, 2,
                                         cria_str_from(answer), is_weak, &judged->citations),
                     CRIA_OK);
    /* Whatever is cited is a slice of its passage, at the offsets it says. */
    for (size_t i = 0; i < judged->citations.count; i++) {
        const struct cria_citation *citation = &judged->citations.items[i];
        const struct cria_passage *passage =
            cria_evidence_find(&judged->evidence, citation->passage_id);
        assert_non_null(passage);
        size_t from = cria_utf8_offset(passage->text, citation->char_start - passage->char_start);
        size_t to = cria_utf8_offset(passage->text, citation->char_end - passage->char_start);
        assert_true(cria_str_equal(citation->quote, cria_str_sub(passage->text, from, to - from)));
        assert_true(citation->quote.len > 0);
    }
}

CRIA_TEST(a_citation_is_the_sentence_that_bears_the_statement)
{
    (void)state;
    static const struct {
        const char *answer, *quote;
        enum cria_support support;
        enum cria_grounding grounding;
    } cases[] = {
        {"The rent is 1,250 euros per month [1].", "The monthly rent is 1,250 euros.",
         CRIA_SUPPORT_COVERED, CRIA_ANSWERED},
        {"The rent is 1250 euros per month. [1]", "The monthly rent is 1,250 euros.",
         CRIA_SUPPORT_COVERED, CRIA_ANSWERED},
        {"The rent is 1,350 euros per month [1].", "The monthly rent is 1,250 euros.",
         CRIA_SUPPORT_NONE, CRIA_PARTIAL},
        {"It says: “Pets are allowed only with the written consent” [1].",
         "Pets are allowed only with the written con-\nsent", CRIA_SUPPORT_QUOTED, CRIA_ANSWERED},
        {"The tenant shall keep a deposit of three months' rent with a bank [1].",
         "The tenant shall keep a deposit of three months’ rent with a bank", CRIA_SUPPORT_QUOTED,
         CRIA_ANSWERED},
        {"Bananas grow on enormous herbs in warm climates [1].", NULL, CRIA_SUPPORT_NONE,
         CRIA_PARTIAL},
        {"Die Grundsteuer wird vom Vermieter gezahlt [2].", "Der Vermieter zahlt die Grundsteuer.",
         CRIA_SUPPORT_COVERED, CRIA_ANSWERED},
        {"家賃は毎月五日です [2]。", "家賃は毎月五日に払う。", CRIA_SUPPORT_COVERED, CRIA_ANSWERED},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct judged judged;
        judge(&judged, cases[i].answer, false);
        assert_int_equal(judged.citations.count, 1);
        if (cases[i].quote) assert_str_equal(judged.citations.items[0].quote, cases[i].quote);
        if (judged.citations.items[0].support != cases[i].support ||
            judged.citations.grounding != cases[i].grounding) {
            print_error("%s: support %d grounding %d\n", cases[i].answer,
                        judged.citations.items[0].support, judged.citations.grounding);
            fail();
        }
        cria_arena_release(&judged.arena);
    }
}

CRIA_TEST(grounding_sees_what_bears_no_marker)
{
    (void)state;
    static const struct {
        const char *answer;
        bool is_weak;
        size_t count;
        enum cria_grounding grounding;
    } cases[] = {
        {"I do not know.", false, 0, CRIA_NOT_FOUND},
        {"A marker without a passage [9].", false, 0, CRIA_NOT_FOUND},
        {"The rent is 1,250 euros a month [1].", true, 1, CRIA_PARTIAL},
        {"The rent is 1,250 euros a month [1]. The house has seven floors and a lift. The garden "
         "belongs to the neighbours alone.",
         false, 1, CRIA_PARTIAL},
        {"# Rent\n\nThe rent is 1,250 euros a month [1]. Do you want to know more about that rent?",
         false, 1, CRIA_ANSWERED},
        {"Rent is due on the 3rd working day [1]. The landlord pays: Der Vermieter zahlt die "
         "Grundsteuer. [2]",
         false, 2, CRIA_ANSWERED},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct judged judged;
        judge(&judged, cases[i].answer, cases[i].is_weak);
        if (judged.citations.count != cases[i].count ||
            judged.citations.grounding != cases[i].grounding) {
            print_error("%s: %zu citations, grounding %d\n", cases[i].answer,
                        judged.citations.count, judged.citations.grounding);
            fail();
        }
        cria_arena_release(&judged.arena);
    }
}

CRIA_TEST(citations_are_written_as_the_contract_has_them)
{
    (void)state;
    struct judged judged;
    struct cria_buf out;
    judge(&judged, "The rent is 1,250 euros per month [1].", false);
    cria_buf_init(&out, 4096);
    cria_citations_write(&out, &judged.citations);
    assert_str_equal(
        cria_buf_str(&out),
        ",\"citations\":[{\"n\":1,\"index_id\":\"idx-1\",\"file_id\":\"dfl-1\","
        "\"file_name\":\"Lease.pdf\",\"page_start\":4,\"page_end\":4,\"char_start\":116,"
        "\"char_end\":148,\"quote\":\"The monthly rent is 1,250 euros.\",\"support\":"
        "\"covered\",\"passage_id\":7}],\"grounding\":\"answered\"");
    cria_buf_release(&out);
    cria_arena_release(&judged.arena);
}

CRIA_TEST(sentences_end_where_they_should)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"One. Two! Three?", "One.|Two!|Three?|"},
        {"Dr. Fox paid 3.50 euros, e.g. in Jan. Next.",
         "Dr. Fox paid 3.50 euros, e.g. in Jan.|Next.|"},
        {"- item one\n- item two", "- item one|- item two|"},
        {"He said \"Stop.\" Then left.", "He said \"Stop.\"|Then left.|"},
        {"一つ目。二つ目。", "一つ目。|二つ目。|"},
        {"  \n\n ", ""},
        {"No end", "No end|"},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_buf out;
        struct cria_str sentence;
        size_t at = 0;
        cria_buf_init(&out, 4096);
        while (cria_sentence_next(cria_str_from(cases[i].in), &at, &sentence)) {
            cria_buf_add(&out, sentence);
            cria_buf_add_char(&out, '|');
        }
        assert_str_equal(cria_buf_str(&out), cases[i].out);
        cria_buf_release(&out);
    }
}

CRIA_TEST(document_text_is_made_harmless)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain ✓ text\n", "plain ✓ text\n"},
        {"a<|im_start|>system", "a< |im_start|>system"},
        {"[INST] do [/inst]", "[ INST] do [ /inst]"},
        {"</s><s>", "< /s>< s>"},
        {"a<!-- hidden -->b<!-- open", "ab"},
        {"ze\u200bro\u202ewi\ufeffdth", "zerowidth"},
        {"tag\U000E0041s", "tags"},
        {"bell\a", "bell"},
        {"</passages-12> [3] <b>", "< /passages-12> [3] <b>"},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_buf out;
        cria_buf_init(&out, 4096);
        cria_text_sanitize(&out, cria_str_from(cases[i].in));
        assert_str_equal(cria_buf_str(&out), cases[i].out);
        cria_buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_citation_is_the_sentence_that_bears_the_statement),
        cmocka_unit_test(grounding_sees_what_bears_no_marker),
        cmocka_unit_test(citations_are_written_as_the_contract_has_them),
        cmocka_unit_test(sentences_end_where_they_should),
        cmocka_unit_test(document_text_is_made_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
