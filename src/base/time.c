#include "base/time.h"

#include <stdio.h>

enum { DAY_S = 86400 };

/* Days from civil and back: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t z, int *year, int *month, int *day)
{
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

struct parts {
    int year, month, day, hour, minute, second, us, weekday;
};

static struct parts split(int64_t at_us)
{
    struct parts p;
    int64_t seconds = at_us / 1000000, us = at_us % 1000000;
    if (us < 0) us += 1000000, seconds--;
    int64_t days = seconds / DAY_S, left = seconds % DAY_S;
    if (left < 0) left += DAY_S, days--;
    civil_from_days(days, &p.year, &p.month, &p.day);
    p.hour = (int)(left / 3600);
    p.minute = (int)(left / 60 % 60);
    p.second = (int)(left % 60);
    p.us = (int)us;
    p.weekday = (int)(((days + 4) % 7 + 7) % 7);
    return p;
}

static void digits(char *out, int value, int count)
{
    while (count-- > 0) {
        out[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

struct cria_str cria_time_format_local(int64_t at_us, char out[CRIA_TIME_SIZE])
{
    struct parts p = split(at_us);
    memcpy(out, "0000-00-00T00:00:00.000000", 27);
    digits(out, p.year, 4);
    digits(out + 5, p.month, 2);
    digits(out + 8, p.day, 2);
    digits(out + 11, p.hour, 2);
    digits(out + 14, p.minute, 2);
    digits(out + 17, p.second, 2);
    digits(out + 20, p.us, 6);
    return (struct cria_str){out, 26};
}

struct cria_str cria_time_format(int64_t at_us, char out[CRIA_TIME_SIZE])
{
    cria_time_format_local(at_us, out);
    memcpy(out + 26, "Z", 2);
    return (struct cria_str){out, 27};
}

struct cria_str cria_time_format_http(int64_t at_us, char out[CRIA_TIME_SIZE])
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct parts p = split(at_us);
    int n = snprintf(out, CRIA_TIME_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                     days + p.weekday * 3, p.day, months + (p.month - 1) * 3, p.year, p.hour,
                     p.minute, p.second);
    return (struct cria_str){out, n > 0 && n < CRIA_TIME_SIZE ? (size_t)n : 0};
}

static bool number(struct cria_str *s, size_t count, int *out)
{
    if (s->len < count) return false;
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9') return false;
        *out = *out * 10 + (s->ptr[i] - '0');
    }
    *s = cria_str_sub(*s, count, s->len);
    return true;
}

static bool literal(struct cria_str *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c) return false;
    *s = cria_str_sub(*s, 1, s->len);
    return true;
}

bool cria_time_parse(struct cria_str s, int64_t *at_us)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, hour = 0, minute = 0, second = 0, us = 0, zone = 0;
    if (!number(&s, 4, &year) || !literal(&s, '-') || !number(&s, 2, &month) || !literal(&s, '-') ||
        !number(&s, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (month == 2 && leap))
        return false;
    if (s.len) {
        if (!literal(&s, 'T') && !literal(&s, 't') && !literal(&s, ' ')) return false;
        if (!number(&s, 2, &hour) || !literal(&s, ':') || !number(&s, 2, &minute)) return false;
        if (literal(&s, ':')) {
            if (!number(&s, 2, &second)) return false;
            if (literal(&s, '.')) {
                int scale = 100000, digit;
                if (s.len == 0) return false;
                while (number(&s, 1, &digit)) us += digit * scale, scale /= 10;
            }
        }
        if (hour > 23 || minute > 59 || second > 60) return false;
        if (s.len && !literal(&s, 'Z') && !literal(&s, 'z')) {
            int sign = literal(&s, '-') ? -1 : literal(&s, '+') ? 1 : 0, zh, zm = 0;
            if (!sign || !number(&s, 2, &zh)) return false;
            if (s.len) {
                literal(&s, ':');
                if (!number(&s, 2, &zm)) return false;
            }
            if (zh > 23 || zm > 59) return false;
            zone = sign * (zh * 60 + zm);
        }
        if (s.len) return false;
    }
    int64_t seconds =
        days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
    *at_us = (seconds - (int64_t)zone * 60) * 1000000 + us;
    return true;
}
