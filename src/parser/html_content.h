/* html_content.h - what of a web page is its content: where it begins, and what is left out.
 * Room: parser; gumbo's tree in, no text out. Yours to change are the rules and their words. */
#ifndef CRIA_PARSER_HTML_CONTENT_H
#define CRIA_PARSER_HTML_CONTENT_H

#include <gumbo.h>

#include "base/str.h"

enum { CRIA_HTML_MAX_DEPTH = 300 };

/** The page as it is rendered. */
struct cria_html {
    const GumboNode *root; /* the element that holds the content */
    bool is_strict;        /* leave out what only looks like navigation, too */
    bool keeps_forms;      /* the page lies in a form */
    unsigned depth;        /* of the whole tree */
};

/** Measures the tree (its source positions are overwritten with counts) and chooses the root. */
struct cria_html cria_html_find_content(GumboOutput *output);
/** Whether a node and all in it is left out. */
bool cria_html_is_dropped(const struct cria_html *html, const GumboNode *node);

/** The node behind `node` in document order within `root`, its children first unless told not to;
 * NULL at the end. */
const GumboNode *cria_html_next(const GumboNode *root, const GumboNode *node, bool into_children);
const GumboVector *cria_html_children(const GumboNode *node);
/** An attribute's value, or an empty slice. */
struct cria_str cria_html_attribute(const GumboNode *node, const char *name);
static inline bool cria_html_is(const GumboNode *node, GumboTag tag)
{
    return (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE) &&
           node->v.element.tag == tag;
}
static inline bool cria_html_is_text(const GumboNode *node)
{
    return node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
           node->type == GUMBO_NODE_CDATA;
}

#endif
