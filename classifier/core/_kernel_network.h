/* The arithmetic of a network with one hidden layer, for up to four lines at once.

   Sums are exact in any order (model.py), so multiply-add instructions may be used, which round once instead of twice, and a column
   that is 0 in all of the lines is left out: most are, and lines that follow each other have much in common. */

#include <stddef.h>
#include <stdint.h>

#define TINSACH_TOGETHER 4     /* lines */
#define TINSACH_UNIT_LANES 16  /* the hidden layer's width is a multiple of twice this ... */
#define TINSACH_CLASS_LANES 8  /* ... and the output's of this */
#define TINSACH_MOST_CLASSES 64

#if defined(__clang__)
#pragma clang fp contract(fast)
#endif
/* One build runs on any x86-64, and uses the vector instructions of the machine that it runs on. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) && defined(__gnu_linux__) && !defined(TINSACH_PLAIN)
#define TINSACH_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("fp-contract=fast")))
#define TINSACH_INLINE static inline __attribute__((always_inline))
#else
#define TINSACH_CLONES
#define TINSACH_INLINE static inline
#endif
#if defined(__GNUC__) /* vectors of any length: the compiler makes several of them where the machine's are shorter */
typedef float tinsach_floats __attribute__((vector_size(4 * TINSACH_UNIT_LANES), aligned(4), may_alias));
typedef double tinsach_doubles __attribute__((vector_size(8 * TINSACH_CLASS_LANES), aligned(8), may_alias));
#define TINSACH_LOAD(type, from) (*(const type *)(from))
#define TINSACH_STORE(type, to, value) (*(type *)(to) = (value))
typedef int32_t tinsach_bits __attribute__((vector_size(4 * TINSACH_UNIT_LANES)));
#define TINSACH_RECTIFIED(value) ((tinsach_floats)(((value) > 0) & (tinsach_bits)(value)))
typedef uint32_t tinsach_word __attribute__((may_alias)); /* the bits of a float */
#else
typedef uint32_t tinsach_word;
#endif

typedef struct {
    ptrdiff_t columns, units, classes;
    const float *hidden;       /* (panels, columns, 2 * TINSACH_UNIT_LANES) */
    const float *hidden_bias;  /* (units,) */
    const double *output;      /* (units, classes) */
    const double *output_bias; /* (classes,) */
} tinsach_layers;

/* Write the columns that are not 0 in all of four lines, and their values (columns, 4); return how many there are. Values are
   compared as bits, of which 0 has none. */
TINSACH_INLINE ptrdiff_t tinsach_pack(ptrdiff_t columns, const tinsach_word *const line[TINSACH_TOGETHER], tinsach_word *values, int *used)
{
    ptrdiff_t k = 0;
    for (ptrdiff_t column = 0; column < columns; column++) {
        uint32_t a = line[0][column], b = line[1][column], c = line[2][column], d = line[3][column];
        tinsach_word *to = values + TINSACH_TOGETHER * k;
        to[0] = a, to[1] = b, to[2] = c, to[3] = d;
        used[k] = (int)column;
        k += (a | b | c | d) != 0;
    }
    return k;
}

#if defined(__GNUC__)

TINSACH_INLINE void tinsach_rectify(float *units, tinsach_floats low, tinsach_floats high)
{
    TINSACH_STORE(tinsach_floats, units, TINSACH_RECTIFIED(low));
    TINSACH_STORE(tinsach_floats, units + TINSACH_UNIT_LANES, TINSACH_RECTIFIED(high));
}

/* Write the rectified units (4, width) of four lines. Eight sums at once hide the latency of each. */
TINSACH_INLINE void tinsach_hidden(const tinsach_layers *layers, const int *used, const float *values, ptrdiff_t count, float *units)
{
    ptrdiff_t width = layers->units;
    for (ptrdiff_t at = 0; at < width; at += 2 * TINSACH_UNIT_LANES, units += 2 * TINSACH_UNIT_LANES) {
        const float *weights = layers->hidden + at * layers->columns;
        tinsach_floats a = TINSACH_LOAD(tinsach_floats, layers->hidden_bias + at), b = a, c = a, d = a;
        tinsach_floats e = TINSACH_LOAD(tinsach_floats, layers->hidden_bias + at + TINSACH_UNIT_LANES), f = e, g = e, h = e;
        for (ptrdiff_t k = 0; k < count; k++) {
            const float *w = weights + used[k] * (ptrdiff_t)(2 * TINSACH_UNIT_LANES), *v = values + 4 * k;
            tinsach_floats x = TINSACH_LOAD(tinsach_floats, w), y = TINSACH_LOAD(tinsach_floats, w + TINSACH_UNIT_LANES);
            a += x * v[0], b += x * v[1], c += x * v[2], d += x * v[3];
            e += y * v[0], f += y * v[1], g += y * v[2], h += y * v[3];
        }
        tinsach_rectify(units, a, e), tinsach_rectify(units + width, b, f);
        tinsach_rectify(units + 2 * width, c, g), tinsach_rectify(units + 3 * width, d, h);
    }
}

/* Write the scores (lines, classes) of up to four lines from their units (4, width); eight sums at once as well. */
TINSACH_INLINE void tinsach_output(const tinsach_layers *layers, const double *units, ptrdiff_t lines, double *scores)
{
    ptrdiff_t width = layers->units, classes = layers->classes;
    for (ptrdiff_t at = 0; at < classes; at += 2 * TINSACH_CLASS_LANES) {
        const double *bias = layers->output_bias + at;
        tinsach_doubles low[TINSACH_TOGETHER] = {{0}}, high[TINSACH_TOGETHER] = {{0}};
        for (ptrdiff_t h = 0; h < width; h++) {
            const double *w = layers->output + h * classes + at;
            tinsach_doubles x = TINSACH_LOAD(tinsach_doubles, w), y = TINSACH_LOAD(tinsach_doubles, w + TINSACH_CLASS_LANES);
            for (int line = 0; line < TINSACH_TOGETHER; line++)
                low[line] += x * units[line * width + h], high[line] += y * units[line * width + h];
        }
        for (ptrdiff_t line = 0; line < lines; line++) {
            double *out = scores + line * classes + at;
            TINSACH_STORE(tinsach_doubles, out, low[line] + TINSACH_LOAD(tinsach_doubles, bias));
            TINSACH_STORE(tinsach_doubles, out + TINSACH_CLASS_LANES, high[line] + TINSACH_LOAD(tinsach_doubles, bias + TINSACH_CLASS_LANES));
        }
    }
}

#else /* the same, one number after the other */

TINSACH_INLINE void tinsach_hidden(const tinsach_layers *layers, const int *used, const float *values, ptrdiff_t count, float *units)
{
    const ptrdiff_t panel = 2 * TINSACH_UNIT_LANES;
    for (int line = 0; line < TINSACH_TOGETHER; line++)
        for (ptrdiff_t h = 0; h < layers->units; h++) {
            const float *weights = layers->hidden + (h - h % panel) * layers->columns + h % panel;
            float sum = layers->hidden_bias[h];
            for (ptrdiff_t k = 0; k < count; k++)
                sum += weights[used[k] * panel] * values[4 * k + line];
            units[line * layers->units + h] = sum > 0 ? sum : 0;
        }
}

TINSACH_INLINE void tinsach_output(const tinsach_layers *layers, const double *units, ptrdiff_t lines, double *scores)
{
    for (ptrdiff_t line = 0; line < lines; line++)
        for (ptrdiff_t c = 0; c < layers->classes; c++) {
            double sum = 0;
            for (ptrdiff_t h = 0; h < layers->units; h++)
                sum += layers->output[h * layers->classes + c] * units[line * layers->units + h];
            scores[line * layers->classes + c] = sum + layers->output_bias[c];
        }
}

#endif

/* Write the scores (lines, classes) of one to four lines from their rows (lines, columns).
   Scratch: `values` (columns, 4), `used` (columns,), `units` and `exact` (4, units). */
TINSACH_CLONES static void tinsach_scores(
    const tinsach_layers *layers, const float *rows, ptrdiff_t lines, float *values, int *used, float *restrict units, double *restrict exact,
    double *scores)
{
    const tinsach_word *line[TINSACH_TOGETHER];
    for (int i = 0; i < TINSACH_TOGETHER; i++) /* the last line stands in for those that are missing */
        line[i] = (const tinsach_word *)rows + (i < lines ? i : lines - 1) * layers->columns;
    ptrdiff_t count = tinsach_pack(layers->columns, line, (tinsach_word *)values, used);
    tinsach_hidden(layers, used, values, count, units);
    for (ptrdiff_t i = 0; i < TINSACH_TOGETHER * layers->units; i++)
        exact[i] = units[i];
    tinsach_output(layers, exact, lines, scores);
}
