/* G.711 by tables, and levels. The tables are filled once, before the first engine or clip exists. */
#include "internal.h"

#include <math.h>
#include <spandsp.h>

struct g711_tables g711;

/* ITU-T G.711 table 1a: a sine of 3.14 dBm0 just reaches A-law's overload point, here 32768. */
#define OVERLOAD_DBM0 3.14

static void fill(void)
{
    for (int code = 0; code < 256; code++) {
        g711.linear[CM_ALAW][code] = alaw_to_linear((uint8_t)code);
        g711.linear[CM_ULAW][code] = ulaw_to_linear((uint8_t)code);
        for (int law = 0; law < 2; law++) {
            int32_t eighth = g711.linear[law][code] / 8;
            g711.square[law][code] = (uint32_t)(eighth * eighth);
        }
        g711.to_ulaw[code] = alaw_to_ulaw((uint8_t)code);
        g711.to_alaw[code] = ulaw_to_alaw((uint8_t)code);
    }
    for (int i = 0; i < 16384; i++) {
        int linear = (int16_t)(uint16_t)(i << 2);
        g711.code[CM_ALAW][i] = linear_to_alaw(linear);
        g711.code[CM_ULAW][i] = linear_to_ulaw(linear);
    }
}

void g711_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
}

void codes_to_linear(enum cm_law law, const uint8_t *codes, int16_t *linear, int count)
{
    const int16_t *table = g711.linear[law];
    for (int i = 0; i < count; i++)
        linear[i] = table[codes[i]];
}

void linear_to_codes(enum cm_law law, const int16_t *linear, uint8_t *codes, int count)
{
    const uint8_t *table = g711.code[law];
    for (int i = 0; i < count; i++)
        codes[i] = table[(uint16_t)linear[i] >> 2];
}

double dbm0_to_rms(double dbm0)
{
    return 32768.0 / sqrt(2.0) * pow(10.0, (dbm0 - OVERLOAD_DBM0) / 20.0);
}

int32_t db_to_gain(double db)
{
    return (int32_t)lrint(GAIN_ONE * pow(10.0, db / 20.0));
}

uint32_t dbm0_to_mean_square(double dbm0)
{
    double rms = dbm0_to_rms(dbm0) / 8.0;
    return (uint32_t)(rms * rms);
}
