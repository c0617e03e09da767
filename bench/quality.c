/* quality DATA-FOLDER [SET...] - how well documents, passages and sentences are found, on the
 * retrieval and question sets of the folder (their forms: tests/README.md). Each document is
 * stored, chunked and searched as the server does it; a document ranks by its best chunk. Prints
 * tables, rows on the error output as they come. A set may be followed by a colon and what is
 * measured of it: documents, passages, answers, together. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/quality.h"
#include "platform/crypto.h"

/* Plain BM25 over title and text: k1 0.9, b 0.4, Porter stems, a short stop list, character pairs
 * for Chinese; passages: fixed chunks of 200 words. */
static const struct baseline {
    const char *set;
    double ndcg, recall, mrr; /* of documents; 0: not known */
    double recall5, recall10; /* of answer characters */
} baselines[] = {
    {"cranfield", .490, .736, .773, 0, 0},
    {"medline", .663, .763, .886, 0, 0},
    {"adi", .474, .910, .615, 0, 0},
    {"anthropic-docs", .627, .955, .690, 0, 0},
    {"covid-qa", .704, .998, .657, .711, .797},
    {"xquad-en", .968, .997, .959, 0, 0},
    {"xquad-de", .932, .995, .918, 0, 0},
    {"xquad-es", .956, .995, .945, 0, 0},
    {"xquad-zh", .967, .996, .959, 0, 0},
    {"xquad-ar", .887, .980, .865, 0, 0},
    {"chunk-eval", 0, 0, 0, .895, .945},
};

struct report {
    struct quality_bench *bench;
    const char *folder, *set, *part; /* part NULL: all */
    struct baseline baseline;
    struct cria_buf documents, passages, answers, together;
};

static bool wants(const struct report *r, const char *part)
{
    return !r->part || strcmp(r->part, part) == 0;
}

/* To the table, and what was added to the error output. */
static void row(struct cria_buf *table, const char *format, ...) CRIA_PRINTF(2, 3);
static void row(struct cria_buf *table, const char *format, ...)
{
    size_t before = table->len;
    va_list args;
    va_start(args, format);
    cria_buf_vprintf(table, format, args);
    va_end(args);
    fprintf(stderr, "%.*s", (int)(table->len - before), table->ptr + before);
}

/* A figure of a baseline; a dash where none is known. */
struct known {
    char text[16];
};
static struct known known(double figure)
{
    struct known k = {"-"};
    if (figure > 0) snprintf(k.text, sizeof(k.text), "%.3f", figure);
    return k;
}

static struct cria_str slurp(const struct report *r, const char *set, const char *name)
{
    size_t len = 0;
    char *text = quality_slurp(r->folder, set, name, &len);
    return (struct cria_str){text, len};
}

static void release(struct cria_str text)
{
    free((void *)(uintptr_t)text.ptr);
}

static void measure_documents(struct report *r, const struct quality_corpus *c)
{
    struct cria_str queries = slurp(r, r->set, "queries.jsonl"),
                    qrels = slurp(r, r->set, "qrels.tsv");
    if (queries.ptr && qrels.ptr) {
        struct quality_ranking m = quality_rank(c, queries, qrels, true);
        const struct baseline *b = &r->baseline;
        char slip[16] = "-"; /* words of other scripts get none */
        if (m.typo_queries * 2 > m.queries) snprintf(slip, sizeof(slip), "%.3f", m.typo_ndcg);
        row(&r->documents,
            "| %s | %zu | %zu | %zu | %.3f | %s | %.3f | %s | %.3f | %s | %s | %.2f |\n", r->set,
            c->documents, c->chunks, m.queries, m.ndcg, known(b->ndcg).text, m.recall,
            known(b->recall).text, m.mrr, known(b->mrr).text, slip, m.ms);
    }
    release(queries);
    release(qrels);
}

static void measure_passages(struct report *r, const struct quality_corpus *c, struct cria_str qa,
                             const struct cria_str *docs)
{
    struct quality_passages m = quality_find_passages(c, qa, docs);
    row(&r->passages, "| %s | %zu | %zu | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |\n",
        r->set, c->chunks, m.asked, m.hit1, m.hit5, m.hit10, m.recall5, r->baseline.recall5,
        m.recall10, r->baseline.recall10);
}

static void measure_answers(struct report *r, const struct quality_corpus *c, struct cria_str qa,
                            struct cria_str docs)
{
    struct quality_answers m = quality_answer(c, qa, docs, false),
                           w = quality_answer(c, qa, docs, true);
    row(&r->answers, "| %s | %zu | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |\n", r->set, m.asked,
        m.first, m.three, m.strong, m.weak, w.strong, w.weak);
}

/* The judgements of those documents that are in the part, in order of docs.jsonl. */
static struct cria_str part_of(struct cria_str qrels, struct cria_str docs,
                               struct quality_part part, struct quality_bench *bench)
{
    struct cria_buf ids, kept;
    struct cria_str line;
    cria_buf_init(&ids, SIZE_MAX);
    cria_buf_init(&kept, SIZE_MAX);
    cria_buf_add_char(&ids, ' ');
    for (size_t n = 0; docs.len;) {
        const struct cria_json *json;
        const char *why;
        cria_str_cut(&docs, '\n', &line);
        cria_arena_reset(bench->call->arena);
        if (!line.len || cria_json_parse(bench->call->arena, line, &json, &why) != CRIA_OK)
            continue;
        size_t at = n++ % part.of;
        if (at < part.from || at >= part.to) continue;
        cria_buf_add(&ids, cria_json_get_str(json, "id"));
        cria_buf_add_char(&ids, ' ');
    }
    while (qrels.len) {
        struct cria_str fields, id;
        char padded[80];
        cria_str_cut(&qrels, '\n', &line);
        fields = line;
        cria_str_cut(&fields, '\t', &id);
        cria_str_cut(&fields, '\t', &id);
        snprintf(padded, sizeof(padded), " %.*s ", CRIA_STR_ARG(id));
        if (cria_str_find(cria_buf_str(&ids), cria_str_from(padded)) == SIZE_MAX) continue;
        cria_buf_add(&kept, line);
        cria_buf_add_char(&kept, '\n');
    }
    cria_buf_release(&ids);
    return cria_buf_str(&kept);
}

/* German questions asked of German documents alone, and of the same among English ones. */
static void measure_mixed(struct report *r, struct cria_str docs)
{
    static const struct {
        const char *name;
        struct quality_part german, english;
    } mixes[] = {{"half English", {0, 1, 2}, {1, 2, 2}}, {"3/4 English", {0, 1, 4}, {1, 4, 4}}};
    struct cria_str english = slurp(r, "xquad-en", "docs.jsonl"),
                    queries = slurp(r, r->set, "queries.jsonl"),
                    qrels = slurp(r, r->set, "qrels.tsv");
    for (size_t i = 0; english.ptr && queries.ptr && qrels.ptr && i < CRIA_COUNT(mixes); i++) {
        struct quality_corpus c;
        struct cria_str judged = part_of(qrels, docs, mixes[i].german, r->bench);
        quality_corpus_begin(&c, r->bench, 1);
        quality_corpus_add(&c, docs, true, mixes[i].german);
        quality_corpus_end(&c);
        struct quality_ranking alone = quality_rank(&c, queries, judged, false);
        quality_corpus_begin(&c, r->bench, 1);
        quality_corpus_add(&c, docs, true, mixes[i].german);
        quality_corpus_add(&c, english, true, mixes[i].english);
        quality_corpus_end(&c);
        struct quality_ranking mixed = quality_rank(&c, queries, judged, false);
        row(&r->together, "| %s, %s | %zu | %.3f | %.3f | %.3f | %.3f |\n", r->set, mixes[i].name,
            mixed.queries, alone.ndcg, mixed.ndcg, alone.first, mixed.first);
        release(judged);
    }
    release(english);
    release(queries);
    release(qrels);
}

/* One index against the same documents cut in ten, asked together. */
static void measure_cut(struct report *r, const struct quality_corpus *whole, struct cria_str docs)
{
    struct cria_str queries = slurp(r, r->set, "queries.jsonl"),
                    qrels = slurp(r, r->set, "qrels.tsv");
    struct quality_corpus c;
    quality_corpus_begin(&c, r->bench, QUALITY_MAX_INDEXES);
    quality_corpus_add(&c, docs, true, QUALITY_ALL);
    quality_corpus_end(&c);
    if (queries.ptr && qrels.ptr) {
        struct quality_ranking one = quality_rank(whole, queries, qrels, false),
                               ten = quality_rank(&c, queries, qrels, false);
        row(&r->together, "| %s, cut in ten | %zu | %.3f | %.3f | %.3f | %.3f |\n", r->set,
            ten.queries, one.ndcg, ten.ndcg, one.first, ten.first);
    }
    release(queries);
    release(qrels);
}

static void measure_set(struct report *r)
{
    struct cria_str docs = slurp(r, r->set, "docs.jsonl"), qa = slurp(r, r->set, "qa.jsonl");
    bool is_xquad = strncmp(r->set, "xquad", 5) == 0;
    struct quality_corpus c;
    if (docs.ptr) {
        quality_corpus_begin(&c, r->bench, 1);
        quality_corpus_add(&c, docs, true, QUALITY_ALL);
        quality_corpus_end(&c);
        if (wants(r, "documents")) measure_documents(r, &c);
        if (wants(r, "passages") && strcmp(r->set, "covid-qa") == 0 && qa.ptr)
            measure_passages(r, &c, qa, &docs);
        if (wants(r, "together") && strcmp(r->set, "xquad-en") == 0) measure_cut(r, &c, docs);
        if (wants(r, "together") && strcmp(r->set, "xquad-de") == 0) measure_mixed(r, docs);
        if (wants(r, "answers") && is_xquad && qa.ptr) {
            quality_corpus_begin(&c, r->bench, 1); /* titles are no answers */
            quality_corpus_add(&c, docs, false, QUALITY_ALL);
            quality_corpus_end(&c);
            measure_answers(r, &c, qa, docs);
        }
    } else if (strcmp(r->set, "chunk-eval") == 0 && qa.ptr && wants(r, "passages")) {
        static const char *const corpora[] = {"chatlogs", "finance", "pubmed", "state_of_the_union",
                                              "wikitexts"};
        quality_corpus_begin(&c, r->bench, 1);
        for (size_t i = 0; i < CRIA_COUNT(corpora); i++) {
            char name[64];
            snprintf(name, sizeof(name), "corpora/%s.md", corpora[i]);
            struct cria_str text = slurp(r, r->set, name);
            if (text.ptr) quality_corpus_add_text(&c, cria_str_from(corpora[i]), text);
            release(text);
        }
        quality_corpus_end(&c);
        measure_passages(r, &c, qa, NULL);
    } else {
        fprintf(stderr, "%s: %s: skipped\n", r->set,
                qa.ptr ? "its questions name neither pages nor passages" : "it is not there");
    }
    release(docs);
    release(qa);
}

static void print(const char *head, struct cria_buf *table)
{
    if (table->len) printf("%s%.*s\n", head, CRIA_STR_ARG(cria_buf_str(table)));
    cria_buf_release(table);
}

static void print_all(struct report *r)
{
    print("Documents\n\n"
          "| set | documents | chunks | queries | nDCG@10 | plain | R@100 | plain | MRR@10 | plain "
          "| nDCG@10 with a slip | ms |\n"
          "|---|---|---|---|---|---|---|---|---|---|---|---|\n",
          &r->documents);
    print(
        "Passages\n\n"
        "| set | chunks | questions | hit@1 | hit@5 | hit@10 | answer in 5 | plain | answer in 10 "
        "| plain |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n",
        &r->passages);
    print("Answers without a model\n\n"
          "| set | questions | first sentence | one of three | strong | weak | withheld: strong | "
          "withheld: weak |\n"
          "|---|---|---|---|---|---|---|---|\n",
          &r->answers);
    print("Together\n\n"
          "| set | queries | nDCG@10 alone | nDCG@10 together | R@1 alone | R@1 together |\n"
          "|---|---|---|---|---|---|\n",
          &r->together);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    static char all[][16] = {"cranfield", "medline",  "adi",       "anthropic-docs",
                             "covid-qa",  "xquad-en", "xquad-de",  "xquad-es",
                             "xquad-zh",  "xquad-ar", "chunk-eval"};
    char folder[] = "/tmp/cria-quality-XXXXXX";
    struct cria_arena arena;
    struct cria_call call;
    struct quality_bench bench = {.call = &call};
    struct report r = {.bench = &bench, .folder = argc > 1 ? argv[1] : ""};
    if (argc < 2 || cria_crypto_init() != CRIA_OK || !mkdtemp(folder)) return 64;
    cria_arena_init(&arena, (size_t)1 << 31);
    cria_call_init(&call, &arena);
    const struct cria_store_options store_options = {.folder = folder};
    enum cria_status st = cria_store_open(&store_options, &call, &bench.store);
    const struct cria_search_options options = {.store = bench.store,
                                                .memory_bytes = (size_t)4 << 30};
    if (st == CRIA_OK) st = cria_search_new(&options, &call, &bench.search);
    if (st != CRIA_OK) {
        fprintf(stderr, "open: %s\n", call.error);
        return 1;
    }
    cria_buf_init(&r.documents, SIZE_MAX);
    cria_buf_init(&r.passages, SIZE_MAX);
    cria_buf_init(&r.answers, SIZE_MAX);
    cria_buf_init(&r.together, SIZE_MAX);
    size_t count = argc > 2 ? (size_t)argc - 2 : CRIA_COUNT(all);
    for (size_t i = 0; i < count; i++) {
        char *set = argc > 2 ? argv[i + 2] : all[i], *part = strchr(set, ':');
        if (part) *part++ = '\0';
        r.set = set;
        r.part = part;
        r.baseline = (struct baseline){0};
        for (size_t k = 0; k < CRIA_COUNT(baselines); k++)
            if (strcmp(baselines[k].set, set) == 0) r.baseline = baselines[k];
        measure_set(&r);
    }
    print_all(&r);
    cria_search_free(bench.search);
    cria_store_close(bench.store);
    cria_arena_release(&arena);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
