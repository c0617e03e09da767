#include "search/re2_shim.h"

#include <re2/re2.h>

#include <cstdio>
#include <new>

struct cria_re2 {
    re2::RE2 re;
    cria_re2(const re2::StringPiece &pattern, const re2::RE2::Options &options)
        : re(pattern, options)
    {
    }
};

extern "C" struct cria_re2 *cria_re2_new(const char *pattern, size_t len, bool literal, char *error,
                                         size_t error_size)
{
    try {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(8 << 20);
        options.set_literal(literal);
        options.set_case_sensitive(!literal);
        std::string text(pattern, len);
        if (!literal) text = "(?m)" + text;
        cria_re2 *re = new cria_re2(text, options);
        if (re->re.ok()) return re;
        std::snprintf(error, error_size, "%s", re->re.error().c_str());
        delete re;
    } catch (const std::bad_alloc &) {
        std::snprintf(error, error_size, "out of memory");
    }
    return nullptr;
}

extern "C" void cria_re2_free(struct cria_re2 *re)
{
    delete re;
}

extern "C" bool cria_re2_find(const struct cria_re2 *re, const char *text, size_t len, size_t from,
                              size_t *start, size_t *end)
{
    re2::StringPiece match;
    if (!re->re.Match(re2::StringPiece(text, len), from, len, re2::RE2::UNANCHORED, &match, 1))
        return false;
    *start = static_cast<size_t>(match.data() - text);
    *end = *start + match.size();
    return true;
}
