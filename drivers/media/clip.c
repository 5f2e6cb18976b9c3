/* Prompts: WAV files mapped into memory. Opened, counted and unmapped by the control thread; the tick thread reads them. */
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

/* The tick must not wait for the disk: every page is read now and, if allowed, kept. */
static void touch_pages(const cm_clip *clip)
{
    volatile uint8_t sink = 0;
    for (size_t at = 0; at < clip->map_bytes; at += 4096)
        sink ^= ((const uint8_t *)clip->map)[at];
    (void)sink;
    (void)mlock(clip->map, clip->map_bytes);
}

static int map_file(cm_clip *clip, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return CM_E_FILE;
    int error = fstat(fd, &status) ? CM_E_FILE : status.st_size < 12 ? CM_E_FORMAT : 0;
    if (!error) {
        clip->map_bytes = (size_t)status.st_size;
        clip->map = mmap(NULL, clip->map_bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        error = clip->map == MAP_FAILED ? CM_E_FILE : 0;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return error;
}

cm_clip *cm_clip_open(const char *path, int *error)
{
    g711_prepare();
    cm_clip *clip = calloc(1, sizeof *clip);
    *error = clip ? map_file(clip, path) : CM_E_NO_MEMORY;
    if (*error) {
        free(clip);
        return NULL;
    }
    clip->references = 1;
    if (read_header(clip)) {
        touch_pages(clip);
        return clip;
    }
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
