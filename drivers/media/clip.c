/* Prompts: WAV files in memory. Opened, counted and freed by the control thread; the tick thread reads them.
 *
 * The file's content is copied into a locked map of our own: a map of the file itself would kill the process (SIGBUS) when
 * somebody renders the prompt anew in place while it plays, and would let the tick wait for the disk.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAVE_PCM = 1, WAVE_ALAW = 6, WAVE_ULAW = 7 };

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static unsigned le16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

/* The chunk's content, or NULL when it is missing or cut off. Chunks are padded to even length. */
static const uint8_t *chunk(const cm_clip *clip, const char *name, size_t *bytes)
{
    const uint8_t *p = clip->map, *end = p + clip->map_bytes;
    for (p += 12; end - p >= 8;) {
        *bytes = le32(p + 4);
        bool fits = *bytes <= (size_t)(end - p - 8);
        if (!memcmp(p, name, 4))
            return fits ? p + 8 : NULL;
        if (!fits)
            return NULL;
        p += 8 + *bytes + (*bytes & 1);
    }
    return NULL;
}

static bool read_format(cm_clip *clip, const uint8_t *fmt, size_t bytes)
{
    if (!fmt || bytes < 16 || le16(fmt + 2) != 1 || le32(fmt + 4) != 8000)
        return false;
    unsigned format = le16(fmt), bits = le16(fmt + 14);
    clip->pcm = format == WAVE_PCM;
    clip->law = format == WAVE_ULAW ? CM_ULAW : CM_ALAW;
    return (format == WAVE_PCM && bits == 16) || ((format == WAVE_ALAW || format == WAVE_ULAW) && bits == 8);
}

static bool read_header(cm_clip *clip)
{
    const uint8_t *map = clip->map;
    size_t bytes;
    if (clip->map_bytes < 12 || memcmp(map, "RIFF", 4) != 0 || memcmp(map + 8, "WAVE", 4) != 0)
        return false;
    const uint8_t *fmt = chunk(clip, "fmt ", &bytes);
    if (!read_format(clip, fmt, bytes))
        return false;
    clip->audio = chunk(clip, "data", &bytes);
    clip->samples = (int64_t)(clip->pcm ? bytes / 2 : bytes);
    return clip->audio != NULL;
}

static bool read_all(int fd, uint8_t *to, size_t bytes)
{
    while (bytes) {
        ssize_t got = read(fd, to, bytes);
        if (got == 0)
            errno = EIO; /* cut short while we read it */
        if (got <= 0)
            return false;
        to += got;
        bytes -= (size_t)got;
    }
    return true;
}

static int copy_file(cm_clip *clip, int fd, size_t bytes)
{
    clip->map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (clip->map == MAP_FAILED)
        return CM_E_NO_MEMORY;
    clip->map_bytes = bytes;
    if (!read_all(fd, clip->map, bytes)) {
        int saved = errno;
        munmap(clip->map, bytes);
        errno = saved;
        return CM_E_FILE;
    }
    (void)mlock(clip->map, bytes);
    (void)mprotect(clip->map, bytes, PROT_READ);
    return 0;
}

static int load_file(cm_clip *clip, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */
    if (fd < 0)
        return CM_E_FILE;
    int error = fstat(fd, &status) || !S_ISREG(status.st_mode) ? CM_E_FILE : 0;
    if (!error)
        error = status.st_size < 12 ? CM_E_FORMAT : copy_file(clip, fd, (size_t)status.st_size);
    int saved = errno;
    close(fd);
    errno = saved;
    return error;
}

cm_clip *cm_clip_open(const char *path, int *error)
{
    g711_prepare();
    cm_clip *clip = calloc(1, sizeof *clip);
    *error = clip ? load_file(clip, path) : CM_E_NO_MEMORY;
    if (*error) {
        free(clip);
        return NULL;
    }
    clip->references = 1;
    if (read_header(clip))
        return clip;
    *error = CM_E_FORMAT;
    cm_clip_close(clip);
    return NULL;
}

int64_t cm_clip_samples(const cm_clip *clip)
{
    return clip->samples;
}

void cm_clip_close(cm_clip *clip)
{
    if (--clip->references)
        return;
    munmap(clip->map, clip->map_bytes);
    free(clip);
}
