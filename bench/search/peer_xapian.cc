/* peer_xapian - Xapian: words without positions, OR of them, best by its BM25. */
#include <string>
#include <vector>
#include <xapian.h>

#include "bench/search/peer.h"

namespace
{

struct Index {
    Xapian::WritableDatabase writer;
    Xapian::Database reader;
};

Index the_index;

std::string path_in(const char *folder)
{
    return std::string(folder) + "/glass";
}

void *create(const char *folder)
{
    the_index.writer = Xapian::WritableDatabase(path_in(folder), Xapian::DB_CREATE_OR_OVERWRITE |
                                                                     Xapian::DB_NO_SYNC);
    return &the_index;
}

void add(void *index, uint32_t, const struct peer_text *chunk)
{
    Xapian::Document document;
    for (size_t i = 0; i < chunk->count; i++)
        document.add_term(std::string(chunk->tokens[i].bytes, chunk->tokens[i].len));
    static_cast<Index *>(index)->writer.add_document(document); /* id + 1 */
}

void finish(void *index)
{
    static_cast<Index *>(index)->writer.commit();
    static_cast<Index *>(index)->writer.close();
}

void *open(const char *folder)
{
    the_index.reader = Xapian::Database(path_in(folder));
    return &the_index;
}

size_t ask(void *index, const struct peer_text *question, uint32_t *out)
{
    std::vector<std::string> words;
    for (size_t i = 0; i < question->count; i++)
        words.emplace_back(question->tokens[i].bytes, question->tokens[i].len);
    Xapian::Enquire enquire(static_cast<Index *>(index)->reader);
    enquire.set_query(Xapian::Query(Xapian::Query::OP_OR, words.begin(), words.end()));
    Xapian::MSet found = enquire.get_mset(0, PEER_TOP);
    size_t n = 0;
    for (auto at = found.begin(); at != found.end() && n < PEER_TOP; ++at) out[n++] = *at - 1;
    return n;
}

} // namespace

int main(int argc, char **argv)
{
    static const struct peer peer = {0, create, add, finish, open, ask};
    try {
        return peer_main(argc, argv, &peer);
    } catch (const Xapian::Error &error) {
        peer_die("xapian", error.get_description().c_str());
    }
}
