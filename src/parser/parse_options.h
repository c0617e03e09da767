/* parse_options.h - what a client's parse parameters ask of a reader: which pages, which part of
 * them. Room: parser. Pure. */
#ifndef CRIA_PARSER_PARSE_OPTIONS_H
#define CRIA_PARSER_PARSE_OPTIONS_H

#include "base/arena.h"

enum { CRIA_PAGE_RANGES_MAX = 256 };

struct cria_parse_options {
    uint32_t max_pages; /* 0: all */
    struct {
        uint32_t from, to;
    } ranges[CRIA_PAGE_RANGES_MAX]; /* when there are any, they alone count */
    size_t range_count;
    double crop_top, crop_right, crop_bottom, crop_left; /* shares of the page that are cut off */
};

/** Reads JSON ({NULL,0}: nothing); what is missing or makes no sense keeps its default. */
void cria_parse_options_read(struct cria_arena *arena, struct cria_str json,
                             struct cria_parse_options *out);
/** Whether page `number` of the document, from 1, is to be read. */
bool cria_parse_options_take(const struct cria_parse_options *options, uint32_t number);

#endif
