#include "search/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/fault.h"
#include "platform/mapped.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "segments are little endian"
#endif

enum {
    ALIGNMENT = 64,
    BLOCK = 64 << 10,
    HEADER_BYTES = 64,
    FOOTER_BYTES = 64,
    FORMAT_VERSION = 3,
    WRITE_BUFFER = 1 << 20
};
static const char header_magic[8] = "CRIASEG\n", footer_magic[8] = "\nGESAIRC";

/* A file operation that a test makes fail. */
static bool fails(void)
{
    if (!cria_fault_fires(CRIA_FAULT_FILE)) return false;
    errno = EIO;
    return true;
}

static enum cria_status say_unwritten(struct cria_call *call, int error)
{
    if (error == ENOMEM) return cria_fail_memory(call);
    return cria_fail(call, error == ENOSPC || error == EDQUOT ? CRIA_E_NO_SPACE : CRIA_E_IO,
                     "A search file could not be written: %s", strerror(error));
}

struct section {
    uint64_t offset, length;
};

/* At the end of the file. checksum covers checksums, table and the members before it. */
struct footer {
    uint64_t checksums_offset, block_count, table_offset, checksum;
    uint32_t version, reserved;
    char magic[8];
    unsigned char padding[FOOTER_BYTES - 48];
};
_Static_assert(sizeof(struct footer) == FOOTER_BYTES, "written as it is");

/* ---- writing
 * -------------------------------------------------------------------------------------------- */

struct cria_segment_writer {
    char path[4096];
    int fd; /* -1: into memory */
    struct cria_buf memory;
    struct cria_buf checksums; /* a u64 for each whole block */
    unsigned char *block;      /* the block that is being filled */
    size_t block_len;
    uint64_t offset; /* of what comes next */
    struct section sections[CRIA_SECTIONS_MAX];
    int current; /* -1: none yet */
    int error;   /* errno of the first failure, 0 none */
};

enum cria_status cria_segment_writer_new(const char *path, struct cria_call *call,
                                         struct cria_segment_writer **out)
{
    unsigned char header[HEADER_BYTES] = {0};
    struct cria_segment_writer *writer = calloc(1, sizeof(*writer));
    if (!writer) return cria_fail_memory(call);
    writer->fd = -1;
    writer->current = -1;
    cria_buf_init(&writer->memory, SIZE_MAX);
    cria_buf_init(&writer->checksums, SIZE_MAX);
    writer->block = malloc(BLOCK);
    if (path) {
        int n = snprintf(writer->path, sizeof(writer->path), "%s", path);
        if (n > 0 && (size_t)n < sizeof(writer->path))
            writer->fd = fails() ? -1 : open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        else
            errno = ENAMETOOLONG;
    }
    if (!writer->block || (path && writer->fd < 0)) {
        int error = writer->block ? errno : ENOMEM;
        cria_segment_writer_free(writer);
        return say_unwritten(call, error);
    }
    memcpy(header, header_magic, sizeof(header_magic));
    uint32_t version = FORMAT_VERSION;
    memcpy(header + sizeof(header_magic), &version, sizeof(version));
    cria_segment_add(writer, header, sizeof(header));
    *out = writer;
    return CRIA_OK;
}

void cria_segment_writer_free(struct cria_segment_writer *writer)
{
    if (!writer) return;
    if (writer->fd >= 0) {
        close(writer->fd);
        unlink(writer->path);
    }
    cria_buf_release(&writer->memory);
    cria_buf_release(&writer->checksums);
    free(writer->block);
    free(writer);
}

/* The filled block goes out, its checksum is kept. */
static void flush_block(struct cria_segment_writer *writer)
{
    uint64_t checksum = XXH3_64bits(writer->block, writer->block_len);
    cria_buf_add(&writer->checksums, (struct cria_str){(const char *)&checksum, sizeof(checksum)});
    if (writer->checksums.failed) writer->error = ENOMEM;
    if (writer->fd < 0) {
        cria_buf_add(&writer->memory,
                     (struct cria_str){(const char *)writer->block, writer->block_len});
        if (writer->memory.failed) writer->error = ENOMEM;
    }
    for (size_t done = 0; writer->fd >= 0 && done < writer->block_len && !writer->error;) {
        ssize_t n =
            fails() ? -1 : write(writer->fd, writer->block + done, writer->block_len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) writer->error = errno;
        if (n > 0) done += (size_t)n;
    }
    writer->block_len = 0;
}

bool cria_segment_add(struct cria_segment_writer *writer, const void *bytes, size_t len)
{
    const unsigned char *from = bytes;
    while (len && !writer->error) {
        size_t n = BLOCK - writer->block_len < len ? BLOCK - writer->block_len : len;
        memcpy(writer->block + writer->block_len, from, n);
        writer->block_len += n;
        writer->offset += n;
        from += n;
        len -= n;
        if (writer->block_len == BLOCK) flush_block(writer);
    }
    return !writer->error;
}

static bool sink_write(void *arg, const void *bytes, size_t len)
{
    return cria_segment_add(arg, bytes, len);
}

enum cria_status cria_segment_writer_failure(const struct cria_segment_writer *writer,
                                             struct cria_call *call, enum cria_status otherwise)
{
    return writer->error ? say_unwritten(call, writer->error) : otherwise;
}

struct cria_sink cria_segment_sink(struct cria_segment_writer *writer)
{
    return (struct cria_sink){sink_write, writer};
}

static void align(struct cria_segment_writer *writer)
{
    static const unsigned char zeros[ALIGNMENT];
    cria_segment_add(writer, zeros, (size_t)(-writer->offset & (ALIGNMENT - 1)));
}

static void end_section(struct cria_segment_writer *writer)
{
    if (writer->current < 0) return;
    struct section *section = &writer->sections[writer->current];
    section->length = writer->offset - section->offset;
    writer->current = -1;
}

void cria_segment_begin(struct cria_segment_writer *writer, unsigned section)
{
    end_section(writer);
    align(writer);
    writer->current = (int)section;
    writer->sections[section].offset = writer->offset;
}

uint64_t cria_segment_at(const struct cria_segment_writer *writer)
{
    return writer->offset - writer->sections[writer->current].offset;
}

/* Checksums, table and footer: read whole at the opening, under a checksum of their own. */
static void write_end(struct cria_segment_writer *writer)
{
    struct footer footer = {.version = FORMAT_VERSION};
    XXH64_state_t state;
    end_section(writer);
    align(writer);
    if (writer->block_len) flush_block(writer);
    struct cria_str checksums = cria_buf_str(&writer->checksums);
    struct cria_buf end;
    cria_buf_init(&end, SIZE_MAX);
    footer.checksums_offset = writer->offset;
    footer.block_count = checksums.len / sizeof(uint64_t);
    footer.table_offset = footer.checksums_offset + checksums.len;
    memcpy(footer.magic, footer_magic, sizeof(footer.magic));
    XXH64_reset(&state, 0);
    if (checksums.len) XXH64_update(&state, checksums.ptr, checksums.len);
    XXH64_update(&state, writer->sections, sizeof(writer->sections));
    XXH64_update(&state, &footer, offsetof(struct footer, checksum));
    footer.checksum = XXH64_digest(&state);
    cria_buf_add(&end, checksums);
    cria_buf_add(&end, (struct cria_str){(const char *)writer->sections, sizeof(writer->sections)});
    cria_buf_add(&end, (struct cria_str){(const char *)&footer, sizeof(footer)});
    if (end.failed) writer->error = ENOMEM;
    if (!end.failed) cria_segment_add(writer, end.ptr, end.len);
    if (writer->block_len) flush_block(writer);
    cria_buf_release(&end);
}

/* The name's folder, so that the name itself is on the disk. */
static bool sync_folder(const char *name)
{
    char folder[4096];
    const char *slash = strrchr(name, '/');
    if (!slash || (size_t)(slash - name) >= sizeof(folder)) return false;
    memcpy(folder, name, (size_t)(slash - name));
    folder[slash - name] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && !fails() && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return good;
}

/* What was written gets its name; 0 or errno. Afterwards there is the one file or none. */
static int name_file(int fd, const char *part, const char *name)
{
    int error = 0;
    errno = EIO;
    if (fails() || fsync(fd) != 0 || fails() || rename(part, name) != 0) {
        error = errno;
        unlink(part);
    } else if (!sync_folder(name)) {
        error = errno;
        unlink(name);
    }
    return error;
}

static enum cria_status open_memory(struct cria_buf *memory, struct cria_call *call,
                                    struct cria_segment_file **out);

enum cria_status cria_segment_writer_finish(struct cria_segment_writer *writer,
                                            struct cria_call *call, const char *name,
                                            struct cria_segment_file **out)
{
    write_end(writer);
    if (writer->fd >= 0 && !writer->error)
        writer->error = name_file(writer->fd, writer->path, name);
    enum cria_status st = cria_segment_writer_failure(writer, call, CRIA_OK);
    if (st != CRIA_OK) {
        cria_segment_writer_free(writer);
        return st;
    }
    if (writer->fd < 0) {
        st = open_memory(&writer->memory, call, out);
    } else {
        close(writer->fd);
        writer->fd = -1; /* it has its name and stays */
        st = cria_segment_file_open(name, call, out);
    }
    cria_segment_writer_free(writer);
    return st;
}

/* ---- reading
 * -------------------------------------------------------------------------------------------- */

/* Sections ask in their own offsets; their start is added here. */
struct section_check {
    struct cria_segment_file *file;
    size_t start;
};

struct cria_segment_file {
    const uint8_t *ptr;
    size_t len;
    struct cria_mapped *mapped; /* or NULL */
    bool is_owned;
    struct section sections[CRIA_SECTIONS_MAX];
    struct section_check checks[CRIA_SECTIONS_MAX];
    const uint8_t *checksums;
    size_t block_count;
    uint64_t identity;
    atomic_bool damaged;
    atomic_uint_least64_t *verified; /* a bit for each block; NULL: nothing to verify */
};

/* Blocks that were not looked at before are, and are remembered. */
static bool check(void *arg, size_t offset, size_t len)
{
    const struct section_check *section = arg;
    struct cria_segment_file *file = section->file;
    offset += section->start;
    size_t last = (offset + len - 1) / BLOCK;
    if (file->mapped && cria_mapped_is_lost(file->mapped)) return false;
    for (size_t n = offset / BLOCK; n <= last; n++) {
        uint64_t bit = UINT64_C(1) << (n & 63);
        if (atomic_load_explicit(&file->verified[n >> 6], memory_order_acquire) & bit) continue;
        size_t start = n * BLOCK, end = start + BLOCK;
        const size_t data_end = (size_t)(file->checksums - file->ptr);
        if (end > data_end) end = data_end;
        if (n >= file->block_count ||
            XXH3_64bits(file->ptr + start, end - start) != cria_load64(file->checksums + 8 * n)) {
            atomic_store(&file->damaged, true);
            return false;
        }
        atomic_fetch_or_explicit(&file->verified[n >> 6], bit, memory_order_release);
    }
    return true;
}

static bool read_end(struct cria_segment_file *file)
{
    struct footer footer;
    if (file->len < HEADER_BYTES + FOOTER_BYTES + sizeof(file->sections)) return false;
    memcpy(&footer, file->ptr + file->len - FOOTER_BYTES, sizeof(footer));
    if (memcmp(footer.magic, footer_magic, sizeof(footer.magic)) != 0 ||
        memcmp(file->ptr, header_magic, sizeof(header_magic)) != 0 ||
        footer.version != FORMAT_VERSION)
        return false;
    uint64_t end = file->len - FOOTER_BYTES;
    if (footer.block_count > end / 8 || footer.checksums_offset > end - footer.block_count * 8 ||
        footer.table_offset != footer.checksums_offset + footer.block_count * 8 ||
        footer.table_offset + sizeof(file->sections) != end ||
        (footer.checksums_offset + BLOCK - 1) / BLOCK != footer.block_count)
        return false;
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    XXH64_update(&state, file->ptr + footer.checksums_offset,
                 (size_t)(end - footer.checksums_offset));
    XXH64_update(&state, &footer, offsetof(struct footer, checksum));
    if (XXH64_digest(&state) != footer.checksum) return false;
    file->identity = footer.checksum;
    memcpy(file->sections, file->ptr + footer.table_offset, sizeof(file->sections));
    file->checksums = file->ptr + footer.checksums_offset;
    file->block_count = (size_t)footer.block_count;
    for (size_t i = 0; i < CRIA_SECTIONS_MAX; i++) {
        const struct section *section = &file->sections[i];
        if (section->offset % ALIGNMENT || section->offset > footer.checksums_offset ||
            section->length > footer.checksums_offset - section->offset)
            return false;
        file->checks[i] = (struct section_check){file, (size_t)section->offset};
    }
    return true;
}

static enum cria_status open_bytes(struct cria_segment_file *file, struct cria_call *call,
                                   struct cria_segment_file **out)
{
    if (!read_end(file)) {
        cria_segment_file_close(file);
        return cria_fail(call, CRIA_E_CORRUPT, "A search file is damaged");
    }
    file->verified = calloc(file->block_count / 64 + 1, sizeof(*file->verified));
    if (!file->verified) {
        cria_segment_file_close(file);
        return cria_fail_memory(call);
    }
    *out = file;
    return CRIA_OK;
}

static enum cria_status open_memory(struct cria_buf *memory, struct cria_call *call,
                                    struct cria_segment_file **out)
{
    struct cria_segment_file *file = calloc(1, sizeof(*file));
    /* Aligned as a mapped file is. */
    uint8_t *bytes = aligned_alloc(ALIGNMENT, (memory->len + ALIGNMENT - 1) & ~(size_t)63);
    if (!file || !bytes) {
        free(file);
        free(bytes);
        return cria_fail_memory(call);
    }
    memcpy(bytes, memory->ptr, memory->len);
    file->ptr = bytes;
    file->len = memory->len;
    file->is_owned = true;
    return open_bytes(file, call, out);
}

enum cria_status cria_segment_file_over(const void *bytes, size_t len, struct cria_call *call,
                                        struct cria_segment_file **out)
{
    struct cria_segment_file *file = calloc(1, sizeof(*file));
    if (!file) return cria_fail_memory(call);
    file->ptr = bytes;
    file->len = len;
    return open_bytes(file, call, out);
}

/* A want of memory or of descriptors says nothing about the file. */
static enum cria_status say_unread(struct cria_call *call, int error)
{
    if (error == ENOMEM) return cria_fail_memory(call);
    enum cria_status st = error == ENOENT                      ? CRIA_E_NOT_FOUND
                          : error == EMFILE || error == ENFILE ? CRIA_E_UNAVAILABLE
                                                               : CRIA_E_IO;
    return cria_fail(call, st, "A search file could not be read: %s", strerror(error));
}

enum cria_status cria_segment_file_open(const char *path, struct cria_call *call,
                                        struct cria_segment_file **out)
{
    struct stat status;
    struct cria_segment_file *file = calloc(1, sizeof(*file));
    if (!file) return cria_fail_memory(call);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        free(file);
        return say_unread(call, errno);
    }
    bool good = fstat(fd, &status) == 0;
    if (good && status.st_size > 0) {
        file->mapped = cria_mapped_new(fd, (size_t)status.st_size);
        good = file->mapped != NULL;
        if (good) file->ptr = cria_mapped_bytes(file->mapped);
        if (good) file->len = (size_t)status.st_size;
    }
    int error = errno;
    close(fd);
    if (!good) {
        free(file);
        return say_unread(call, error);
    }
    return open_bytes(file, call, out);
}

void cria_segment_file_close(struct cria_segment_file *file)
{
    if (!file) return;
    cria_mapped_free(file->mapped);
    if (file->is_owned) free((void *)(uintptr_t)file->ptr);
    free(file->verified);
    free(file);
}

struct cria_bytes cria_segment_section(const struct cria_segment_file *file, unsigned section)
{
    const struct section *at = &file->sections[section];
    if (at->offset == 0) return (struct cria_bytes){0};
    return (struct cria_bytes){file->ptr + at->offset, (size_t)at->length, check,
                               (void *)(uintptr_t)&file->checks[section]};
}

uint64_t cria_segment_file_identity(const struct cria_segment_file *file)
{
    return file->identity;
}

uint64_t cria_checksum(const void *bytes, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, len, seed);
}

uint64_t cria_segment_file_size(const struct cria_segment_file *file)
{
    return file->len;
}

bool cria_segment_file_is_damaged(const struct cria_segment_file *file)
{
    return atomic_load(&((struct cria_segment_file *)(uintptr_t)file)->damaged) ||
           (file->mapped && cria_mapped_is_lost(file->mapped));
}

enum cria_status cria_segment_file_save(const struct cria_segment_file *file,
                                        struct cria_call *call, const char *part, const char *path,
                                        struct cria_segment_file **out)
{
    int fd = fails() ? -1 : open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int error = fd < 0 ? errno : 0;
    for (size_t done = 0; !error && done < file->len;) {
        ssize_t n = fails() ? -1 : write(fd, file->ptr + done, file->len - done);
        if (n < 0 && errno != EINTR) error = errno;
        if (n > 0) done += (size_t)n;
    }
    if (error && fd >= 0) unlink(part);
    if (!error) error = name_file(fd, part, path);
    if (fd >= 0) close(fd);
    return error ? say_unwritten(call, error) : cria_segment_file_open(path, call, out);
}
