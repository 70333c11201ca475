// Few rows of a float product on AVX-512: the weights stream from memory once and are turned in registers.
//
// Memory is fastest when it is read in long runs, while the 16 rows that meet in a register are needed line
// by line. So each run of a row is asked for as a whole, some runs before it is used.
//
// A template, as product_float_many_avx512.h.
#include "product_float_turn_avx512.h"

#include <stddef.h>
#include <string.h>

#if CK_X86

enum {
    few_rows = 16,
    set_rows = 8,      // of which the sums stay in registers
    run_bytes = 1024,  // of a row
    lead_lines = 48,   // between what is asked for and the 16 runs that are asked for next
    line_bytes = 64,
    at_once = 4,       // lines asked for at one time
};

/// The place in a matrix up to which memory was asked for: 16 runs of neighbouring rows, then those which
/// follow them in the same rows, then the next 16 rows.
typedef struct read_ahead {
    const char *matrix;
    ptrdiff_t stride, row_bytes, outputs;
    ptrdiff_t output, lane, from;
    const char *line;
    ptrdiff_t lines;  // left in this run
} read_ahead;

CK_INLINE void begin_run(read_ahead *a) {
    a->line = a->matrix + (a->output + a->lane) * a->stride + a->from;
    a->lines = (ck_lesser(run_bytes, a->row_bytes - a->from) + line_bytes - 1) / line_bytes;
}

CK_INLINE void next_run(read_ahead *a) {
    if (a->lane + 1 < 16 && a->output + a->lane + 1 < a->outputs) {
        a->lane++;
    } else {
        a->lane = 0;
        a->from += run_bytes;
        if (a->from >= a->row_bytes) {
            a->from = 0;
            a->output += 16;
        }
    }
    if (a->output < a->outputs) begin_run(a);
    else a->lines = PTRDIFF_MAX;  // of the matrix nothing is left
}

CK_INLINE_AVX512 void ask_ahead(read_ahead *a) {
    if (a->output >= a->outputs) return;
    if (__builtin_expect(a->lines > at_once, 1)) {
#pragma clang loop unroll(full)
        for (int i = 0; i < at_once; i++) _mm_prefetch(a->line + i * line_bytes, _MM_HINT_T0);
        a->line += at_once * line_bytes;
        a->lines -= at_once;
        return;
    }
    for (int i = 0; i < at_once; i++) {
        if (a->output >= a->outputs) return;
        _mm_prefetch(a->line, _MM_HINT_T0);
        a->line += line_bytes;
        if (--a->lines == 0) next_run(a);
    }
}

/// Units of 16 outputs and the activations which they meet.
typedef struct few_part {
    const char *row[16];
    ptrdiff_t length, numbers;  // at most ck_piece units, of so many numbers
    const float *x;
    float (*sums)[16];
    read_ahead *ahead;
} few_part;

CK_INLINE TARGET void add_part(const int rows, ck_layout l, const few_part *p) {
    const float *x = p->x;
    read_ahead ahead = *p->ahead;
    __m512 sum[set_rows], v[16];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] = _mm512_loadu_ps(p->sums[r]);
    ptrdiff_t i = 0;
    for (; (i / 16 + 1) * ck_numbers(l) <= p->numbers; i += 16) {
        ck_load_turned(l, p->row, i * ck_unit_bytes(l), ck_numbers(l), v);
#pragma clang loop unroll(full)
        for (int s = 0; s < 16; s++) {
            // As many lines as were read: 16 of four bytes for each unit, 8 of two.
            if (s % (16 / ck_unit_bytes(l)) == 0) ask_ahead(&ahead);
            // Keeps the compiler from loading all activations first, for which there are no registers.
            if (rows > 1) __asm__ volatile("" : "+v"(v[s])::"memory");
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++)
                sum[r] = MULTIPLY_AT(x + r * ck_row_units + i + s, v[s], sum[r]);
        }
    }
    if (i < p->length) {
        ck_load_turned(l, p->row, i * ck_unit_bytes(l), p->numbers - i / 16 * ck_numbers(l), v);
        for (int n = 0; n < ck_unit_bytes(l); n++) ask_ahead(&ahead);
        for (ptrdiff_t s = 0; s < p->length - i; s++) {
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++)
                sum[r] = MULTIPLY_AT(x + r * ck_row_units + i + s, v[s], sum[r]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) _mm512_storeu_ps(p->sums[r], sum[r]);
    *p->ahead = ahead;
}

#define CASE(rows) case rows: add_part(rows, l, p); return;
CK_INLINE TARGET void add_rows(ptrdiff_t rows, ck_layout l, const few_part *p) {
    switch (rows) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) }
}
#undef CASE

/// `add` adds a part to the sums of some rows.
CK_INLINE_AVX512 void few_by_rows(const ck_float_product *p, float *rows,
                                  void (*add)(ck_type type, ptrdiff_t rows, const few_part *part)) {
    const ck_float_weights *w = p->weights;
    ptrdiff_t units = ck_units(p), in_unit = ck_in_unit(p);
    read_ahead ahead = {
        .matrix = w->bytes, .stride = w->stride, .row_bytes = p->k * ck_block_bytes(w->type),
        .outputs = ck_is_direct(p) && p->k > 0 ? p->outputs : 0,
    };
    read_ahead nothing = {0};
    if (ahead.outputs > 0) {
        begin_run(&ahead);
        ptrdiff_t lines = 16 * ahead.lines + lead_lines;
        for (ptrdiff_t n = 0; n < lines; n += at_once) ask_ahead(&ahead);
    }
    for (ptrdiff_t j = 0; j < p->outputs; j += 16) {
        ptrdiff_t count = ck_lesser(16, p->outputs - j);
        float sums[few_rows][16] = {{0}};
        for (ptrdiff_t from = 0; from < units; from += p->piece) {
            few_part part = {.length = ck_lesser(p->piece, units - from)};
            part.numbers = ck_lesser(part.length * in_unit, p->k - from * in_unit);
            ck_type type = ck_find_rows(p, j, count, from, part.length, rows, part.row);
            for (ptrdiff_t r = 0; r < p->rows; r += set_rows) {
                part.x = p->x + ck_place_of(p->rows, from / p->piece, r);
                part.sums = sums + r;
                part.ahead = r == 0 ? &ahead : &nothing;
                add(type, ck_lesser(set_rows, p->rows - r), &part);
            }
        }
        for (ptrdiff_t r = 0; r < p->rows; r++)
            memcpy(p->out + r * p->out_stride + j, sums[r], (size_t)count * sizeof(float));
    }
}

#endif
