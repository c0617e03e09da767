#include "parser/html_content.h"

#include "base/status.h"

enum {
    MAIN_SHARE = 4,       /* a main part holds at least a quarter of the page's text … */
    MAIN_LETTERS = 400,   /* … or so much */
    NOTICE_LETTERS = 2000 /* a cookie notice is not longer */
};

const GumboVector *cria_html_children(const GumboNode *node)
{
    if (node->type == GUMBO_NODE_DOCUMENT) return &node->v.document.children;
    if (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE)
        return &node->v.element.children;
    return NULL;
}

const GumboNode *cria_html_next(const GumboNode *root, const GumboNode *node, bool into_children)
{
    const GumboVector *children = into_children ? cria_html_children(node) : NULL;
    if (children && children->length) return children->data[0];
    while (node != root && node->parent) {
        const GumboVector *siblings = cria_html_children(node->parent);
        size_t at = node->index_within_parent + 1;
        if (siblings && at < siblings->length) return siblings->data[at];
        node = node->parent;
    }
    return NULL;
}

struct cria_str cria_html_attribute(const GumboNode *node, const char *name)
{
    if (node->type != GUMBO_NODE_ELEMENT && node->type != GUMBO_NODE_TEMPLATE)
        return (struct cria_str){0};
    const GumboAttribute *attribute = gumbo_get_attribute(&node->v.element.attributes, name);
    return attribute ? cria_str_from(attribute->value) : (struct cria_str){0};
}

/* The places in the source are of no use here, so they take the counts: letters inside an element,
 * and letters of links inside. */
static size_t letters(const GumboNode *node)
{
    return node->v.element.start_pos.offset;
}

static size_t link_letters(const GumboNode *node)
{
    return node->v.element.end_pos.offset;
}

static size_t count_letters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += (unsigned char)*text > ' ' && ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static bool is_never_shown(const GumboNode *node)
{
    switch ((int)node->v.element.tag) {
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_CANVAS:
    case GUMBO_TAG_HEAD:
    case GUMBO_TAG_TITLE: return true;
    default: return false; /* gumbo's enumeration, not ours */
    }
}

static unsigned depth_of(const GumboNode *root)
{
    unsigned depth = 0, deepest = 0;
    for (const GumboNode *node = root; node;) {
        const GumboVector *children = cria_html_children(node);
        if (children && children->length) {
            node = children->data[0];
            if (++depth > deepest) deepest = depth;
            continue;
        }
        for (;; node = node->parent, depth--) {
            if (node == root) return deepest;
            const GumboVector *siblings = cria_html_children(node->parent);
            if (node->index_within_parent + 1 < siblings->length) {
                node = siblings->data[node->index_within_parent + 1];
                break;
            }
        }
    }
    return deepest;
}

/* Adds each text's letters to all elements around it. A text at depth d costs d steps, so very deep
 * trees, which nobody writes, are counted only near their texts. */
static void measure(GumboNode *root)
{
    for (const GumboNode *node = root; node; node = cria_html_next(root, node, true)) {
        if (node->type != GUMBO_NODE_ELEMENT && node->type != GUMBO_NODE_TEMPLATE) continue;
        GumboElement *element = &((GumboNode *)(uintptr_t)node)->v.element;
        element->start_pos.offset = element->end_pos.offset = 0;
    }
    for (const GumboNode *node = root; node;) {
        bool is_shown = node->type != GUMBO_NODE_ELEMENT || !is_never_shown(node);
        if (node->type == GUMBO_NODE_TEXT) {
            unsigned count = (unsigned)count_letters(node->v.text.text), depth = 0;
            bool in_link = false;
            for (GumboNode *up = node->parent; up && depth < 4 * CRIA_HTML_MAX_DEPTH;
                 up = up->parent, depth++) {
                if (up->type != GUMBO_NODE_ELEMENT) break;
                in_link = in_link || up->v.element.tag == GUMBO_TAG_A;
                up->v.element.start_pos.offset += count;
                if (in_link) up->v.element.end_pos.offset += count;
            }
        }
        node = cria_html_next(root, node, is_shown);
    }
}

static bool has_role(const GumboNode *node, const char *role)
{
    return cria_str_is(cria_html_attribute(node, "role"), role);
}

static bool is_main(const GumboNode *node)
{
    return cria_html_is(node, GUMBO_TAG_MAIN) || has_role(node, "main");
}

/* The one main part, or the one article, if it holds enough of the page. */
static const GumboNode *find_root(const GumboNode *body)
{
    const GumboNode *best_main = NULL, *article = NULL;
    size_t articles = 0;
    for (const GumboNode *node = body; node;) {
        bool is_element = node->type == GUMBO_NODE_ELEMENT;
        bool is_article = is_element && cria_html_is(node, GUMBO_TAG_ARTICLE);
        if (is_element && is_main(node) && (!best_main || letters(node) > letters(best_main)))
            best_main = node;
        if (is_article) {
            articles++;
            article = node;
        }
        node = cria_html_next(body, node, !is_article);
    }
    const GumboNode *root = best_main ? best_main : articles == 1 ? article : NULL;
    if (root && (letters(root) * MAIN_SHARE >= letters(body) || letters(root) >= MAIN_LETTERS))
        return root;
    return body;
}

struct cria_html cria_html_find_content(GumboOutput *output)
{
    struct cria_html html = {.root = output->root, .is_strict = true};
    html.depth = depth_of(output->root);
    measure(output->root);
    const GumboVector *children = cria_html_children(output->root);
    for (unsigned i = 0; children && i < children->length; i++)
        if (cria_html_is(children->data[i], GUMBO_TAG_BODY)) html.root = children->data[i];
    html.root = find_root(html.root);
    for (const GumboNode *node = html.root; node; node = cria_html_next(html.root, node, true))
        if (cria_html_is(node, GUMBO_TAG_FORM) && letters(node) * 2 > letters(html.root))
            html.keeps_forms = true;
    return html;
}

/* Whether one of the words stands in the text as a whole word or behind or before - or _. */
static bool has_word(struct cria_str text, const char *const words[], size_t count)
{
    for (size_t start = 0; start < text.len;) {
        size_t end = start;
        while (end < text.len && !strchr(" -_\t\n", text.ptr[end])) end++;
        struct cria_str word = cria_str_sub(text, start, end - start);
        for (size_t i = 0; i < count && word.len; i++)
            if (cria_str_equal_nocase(word, cria_str_from(words[i]))) return true;
        start = end + 1;
    }
    return false;
}

/* Parts of a page that name themselves what they are. */
static bool looks_like_navigation(const GumboNode *node)
{
    static const char *const links[] = {
        "nav",         "navbar", "navbox", "navigation", "menu",  "sidebar", "breadcrumb",
        "breadcrumbs", "footer", "toc",    "social",     "share", "related", "pagination"};
    static const char *const notices[] = {"cookie", "cookies",     "consent",    "advert", "ads",
                                          "ad",     "editsection", "newsletter", "noprint"};
    size_t all = letters(node);
    struct cria_str labels[2] = {cria_html_attribute(node, "class"),
                                 cria_html_attribute(node, "id")};
    for (size_t i = 0; i < 2; i++) {
        if (has_word(labels[i], links, CRIA_COUNT(links)) && link_letters(node) * 5 > all * 2)
            return true;
        if (has_word(labels[i], notices, CRIA_COUNT(notices)) && all < NOTICE_LETTERS) return true;
    }
    return false;
}

static bool is_hidden(const GumboNode *node)
{
    if (gumbo_get_attribute(&node->v.element.attributes, "hidden")) return true;
    if (cria_str_is(cria_html_attribute(node, "aria-hidden"), "true")) return true;
    struct cria_str style = cria_html_attribute(node, "style");
    char packed[256];
    size_t n = 0;
    for (size_t i = 0; i < style.len && n < sizeof(packed); i++)
        if ((unsigned char)style.ptr[i] > ' ')
            packed[n++] = (char)(style.ptr[i] >= 'A' && style.ptr[i] <= 'Z' ? style.ptr[i] + 32
                                                                            : style.ptr[i]);
    style = cria_str_make(packed, n);
    return cria_str_find(style, CRIA_STR("display:none")) != SIZE_MAX ||
           cria_str_find(style, CRIA_STR("visibility:hidden")) != SIZE_MAX;
}

/* Inside an article its own header and footer belong to it. */
static bool is_of_page(const struct cria_html *html, const GumboNode *node)
{
    for (const GumboNode *up = node->parent; up; up = up->parent) {
        if (cria_html_is(up, GUMBO_TAG_ARTICLE) || is_main(up)) return false;
        if (up == html->root) break;
    }
    return !is_main(html->root) && !cria_html_is(html->root, GUMBO_TAG_ARTICLE);
}

/* Inline XBRL keeps facts that are not shown in an element of its own. */
static bool is_foreign(const GumboNode *node)
{
    GumboStringPiece tag = node->v.element.original_tag;
    if (node->v.element.tag != GUMBO_TAG_UNKNOWN) return false;
    gumbo_tag_from_original_text(&tag);
    struct cria_str name = cria_str_make(tag.data, tag.length);
    return cria_str_equal_nocase(name, CRIA_STR("ix:header")) ||
           cria_str_equal_nocase(name, CRIA_STR("ix:hidden"));
}

bool cria_html_is_dropped(const struct cria_html *html, const GumboNode *node)
{
    if (node->type == GUMBO_NODE_TEMPLATE || node->type == GUMBO_NODE_COMMENT) return true;
    if (node->type != GUMBO_NODE_ELEMENT || node == html->root) return false;
    if (is_never_shown(node) || is_hidden(node) || is_foreign(node)) return true;
    switch ((int)node->v.element.tag) {
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_SELECT:
    case GUMBO_TAG_INPUT:
    case GUMBO_TAG_TEXTAREA: return true;
    case GUMBO_TAG_NAV: return html->is_strict;
    case GUMBO_TAG_ASIDE: return html->is_strict;
    case GUMBO_TAG_FORM: return html->is_strict && !html->keeps_forms;
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_FOOTER: return html->is_strict && is_of_page(html, node);
    default: break; /* gumbo's enumeration, not ours */
    }
    if (!html->is_strict) return false;
    return has_role(node, "navigation") || has_role(node, "search") || has_role(node, "banner") ||
           has_role(node, "contentinfo") || looks_like_navigation(node);
}
