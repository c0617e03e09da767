/* segment_file.h - the file that a segment lies in: sections one behind the other, a checksum for
 * each block of 64 KiB, a table of sections at the end. Room: search; xxHash lives here.
 *
 *   magic and version (64 bytes) | sections, each 64-byte aligned | checksums | table | footer
 *
 * Written front to back under a temporary name, synced, then renamed: a file under its own name is
 * whole. Read by memory map; a block's checksum (XXH3) is looked at when the block is first used,
 * so opening costs a few pages whatever the size. */
#ifndef CRIA_SEARCH_SEGMENT_FILE_H
#define CRIA_SEARCH_SEGMENT_FILE_H

#include "base/call.h"
#include "search/bytes.h"

enum { CRIA_SECTIONS_MAX = 32 };

/* ---- writing */

struct cria_segment_writer;

/** path NULL: into memory. The file is made anew; its folder must exist. */
CRIA_MUST_CHECK enum cria_status cria_segment_writer_new(const char *path, struct cria_call *call,
                                                         struct cria_segment_writer **out);
/** The next section: what is written from now on belongs to it. Each number (below
 * CRIA_SECTIONS_MAX) once. */
void cria_segment_begin(struct cria_segment_writer *writer, unsigned section);
/** Adds bytes; remembers its first failure, as cria_buf does. */
bool cria_segment_add(struct cria_segment_writer *writer, const void *bytes, size_t len);
/** The same as a sink. */
struct cria_sink cria_segment_sink(struct cria_segment_writer *writer);
/** What a failed write says: the status of its first failure, with its sentence; `otherwise` when
 * all was written. Sinks only know that they failed, not why. */
enum cria_status cria_segment_writer_failure(const struct cria_segment_writer *writer,
                                             struct cria_call *call, enum cria_status otherwise);
/** Bytes of the section so far. */
uint64_t cria_segment_at(const struct cria_segment_writer *writer);

struct cria_segment_file;
/**
 * Ends the file, syncs it, and opens it for reading. Takes the writer, whatever the outcome.
 * @param name  what a file is renamed to (with its folder synced); NULL for memory.
 */
CRIA_MUST_CHECK enum cria_status cria_segment_writer_finish(struct cria_segment_writer *writer,
                                                            struct cria_call *call,
                                                            const char *name,
                                                            struct cria_segment_file **out);
/** Gives it up and removes what was written. NULL is fine. */
void cria_segment_writer_free(struct cria_segment_writer *writer);

/** Writes the bytes of one that lies in memory into a file under `part`, renames it to `path`, and
 * opens that. */
CRIA_MUST_CHECK enum cria_status cria_segment_file_save(const struct cria_segment_file *file,
                                                        struct cria_call *call, const char *part,
                                                        const char *path,
                                                        struct cria_segment_file **out);

/* ---- reading; any thread */

/** CRIA_E_NOT_FOUND no such file; CRIA_E_CORRUPT it is not what was written; CRIA_E_IO it cannot be
 * read; CRIA_E_NO_MEMORY and CRIA_E_UNAVAILABLE (too many open files) say nothing about it. */
CRIA_MUST_CHECK enum cria_status cria_segment_file_open(const char *path, struct cria_call *call,
                                                        struct cria_segment_file **out);
/** Over bytes that outlive it (tests, fuzzing). */
CRIA_MUST_CHECK enum cria_status cria_segment_file_over(const void *bytes, size_t len,
                                                        struct cria_call *call,
                                                        struct cria_segment_file **out);
/** NULL is fine. Nobody reads its sections any more. */
void cria_segment_file_close(struct cria_segment_file *file);
/** {NULL, 0} when it has no such section. Lives as long as the file. */
struct cria_bytes cria_segment_section(const struct cria_segment_file *file, unsigned section);
/** Stands for all bytes of the file: two files with the same one are the same. */
uint64_t cria_segment_file_identity(const struct cria_segment_file *file);
/** XXH3 of bytes, begun with `seed`. */
uint64_t cria_checksum(const void *bytes, size_t len, uint64_t seed);
uint64_t cria_segment_file_size(const struct cria_segment_file *file);
/** Whether a block was found rotten since it was opened, or could not be read any more. */
bool cria_segment_file_is_damaged(const struct cria_segment_file *file);

#endif
