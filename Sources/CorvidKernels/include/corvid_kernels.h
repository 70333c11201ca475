// The kernels of Corvid: plain C, no allocation, no global state but the instruction-set choice, no threads.
//
// Every kernel has a plain loop, which is its definition, and may have faster forms for an instruction set;
// the form is chosen by `ck_isa()`. Unless a kernel says otherwise, pointers do not overlap and every size may
// be zero. The result of one output never depends on how many other outputs are computed beside it: the order
// of each sum is part of the formula.
#ifndef CORVID_KERNELS_H
#define CORVID_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Instruction sets

typedef enum ck_isa_level {
    CK_ISA_PORTABLE = 0,
    CK_ISA_AVX2 = 1,    // AVX2, FMA, F16C; AVX-VNNI where the processor has it
    CK_ISA_AVX512 = 2,  // AVX-512 F, BW, DQ, VL, VNNI
} ck_isa_level;

/// The best level which this processor runs.
ck_isa_level ck_isa_detect(void);
/// The level in use; `ck_isa_detect()` until `ck_isa_set` lowers it.
ck_isa_level ck_isa(void);
/// Uses `level`, or the best the processor has if that is lower; call before any other thread uses a kernel.
ck_isa_level ck_isa_set(ck_isa_level level);
/// The same for the kernels that the calling thread runs, until `ck_isa_unset_for_thread`: forms can be compared
/// while other threads compute.
ck_isa_level ck_isa_set_for_thread(ck_isa_level level);
void ck_isa_unset_for_thread(void);
/// 1 if the processor multiplies bf16 pairs (AVX-512 BF16) and the level in use is AVX-512.
int ck_has_bf16(void);
/// 1 if the products with int8 activations use AVX-VNNI: the processor has it and the level in use is AVX2
/// (AVX-512 has its own).
int ck_has_avx_vnni(void);
/// Uses AVX-VNNI at level AVX2 if the processor has it (1, the default), or does without (0), as processors of
/// before 2021 do. Returns what is used from now on. Call before any other thread uses a kernel.
int ck_use_avx_vnni(int wanted);

/// Processors which this process may use, at least 1.
int ck_available_processors(void);

/// Tells the processor that this thread waits in a loop.
static inline void ck_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

// MARK: Number types. The values are those of GGUF.

typedef enum ck_type {
    CK_F32 = 0,
    CK_F16 = 1,
    CK_Q4_0 = 2,
    CK_Q4_1 = 3,
    CK_Q5_0 = 6,
    CK_Q5_1 = 7,
    CK_Q8_0 = 8,
    CK_Q4_K = 12,
    CK_Q5_K = 13,
    CK_Q6_K = 14,
    CK_BF16 = 30,
} ck_type;

/// Weights in one block: 1, 32 or 256; 0 for an unknown type.
ptrdiff_t ck_block_size(ck_type type);
/// Bytes of one block; 0 for an unknown type.
ptrdiff_t ck_block_bytes(ck_type type);

/// out[i] = the value of weight i of a row, i in 0..<n; exactly as ggml decodes it.
/// n is a multiple of the block size. `row` needs no alignment.
void ck_dequantize(ck_type type, ptrdiff_t n, const void *row, float *out);
/// The same, rounded to bf16 (nearest, ties to even; NaN stays NaN).
void ck_dequantize_bf16(ck_type type, ptrdiff_t n, const void *row, uint16_t *out);

/// f32 to f16 and bf16, nearest with ties to even; and back.
void ck_f32_to_f16(ptrdiff_t n, const float *x, uint16_t *out);
void ck_f16_to_f32(ptrdiff_t n, const uint16_t *x, float *out);
void ck_f32_to_bf16(ptrdiff_t n, const float *x, uint16_t *out);
void ck_bf16_to_f32(ptrdiff_t n, const uint16_t *x, float *out);

// MARK: Quantising weights

typedef enum ck_quantize_result {
    CK_QUANTIZED = 0,
    CK_NOT_FINITE = 1,  // x has a NaN or an infinity; out is undefined
    CK_TOO_LARGE = 2,   // a scale, a minimum or a value would be infinite in the type; out is undefined
} ck_quantize_result;

/// Rounds a row of n weights to `type`; n is a multiple of the block size. An unknown type writes nothing.
/// f32, f16, bf16: nearest, ties to even. Blocks have the bits of ggml's reference quantisers without importance
/// weights (Q4_0 ... Q8_0 as the gguf package, K-quants as quantize_row_*_ref, nothing contracted to fma). Where
/// those leave the result open, since 1/d overflows (|d| below 2.9e-39, stored as 0), the integers are those of
/// weights that are 0. All forms have the same bits.
ck_quantize_result ck_quantize_weights(ck_type type, ptrdiff_t n, const float *x, void *out);

/// Row-scaled int8: scale = max|x| / 127, q_i = round_to_even(x_i * (127 / max|x|)) in -127...127.
/// A row whose 127 / max|x| overflows (max|x| below 3.8e-37, also 0) has scale 0 and q_i = 0.
ck_quantize_result ck_quantize_row_int8(ptrdiff_t n, const float *x, int8_t *q, float *scale);
/// out[i] = scale * q[i], rounded once.
void ck_dequantize_row_int8(ptrdiff_t n, const int8_t *q, float scale, float *out);

// MARK: Products with block-quantised weights
//
// One definition for any number of rows and every instruction set. Activations x are rounded per block of 32:
//     d = max|x| / 127,   q_i = round_to_even(x_i * (127 / max|x|)) in -127...127
// A block whose 127 / max|x| overflows (max|x| below 3.8e-37, also 0) counts as zeros: d = 0, q_i = 0.
// A block with a NaN or an infinity gets d = NaN, q_i = 0, so that the fault stays visible and in its row.
// A weight block of 32 (16 for Q6_K) is w_i = s * u_i + m with integer u_i, scale s and minimum m (both f32;
// for K-quants s = d * sc and m = -(dmin * mn), each product rounded once). Then, in block order,
//     y = 0;  y = fma(float(sum_i u_i q_i), s * d, y);  if the type has minima: y = fma(m, d * float(sum_i q_i), y)
// with exact integer sums; u_i is signed where the type is (Q4_0: nibble - 8, Q8_0, Q5_0, Q6_K).
// Q6_K: two sub-blocks of 16 in each block of 32, in order. All forms have the same bits on every instruction
// set; only which NaN comes out where NaNs or infinities meet is left open.

/// Rounds `rows` rows of `k` values; k is a multiple of 32. `x_stride` in floats.
/// q: [rows, k] int8, d: [rows, k/32], sum: [rows, k/32] sums of q (per block of 32).
void ck_quantize_activations(ptrdiff_t rows, ptrdiff_t k, const float *x, ptrdiff_t x_stride, int8_t *q,
                             float *d, int32_t *sum);

/// Bytes of scratch memory that `ck_product_quantized` needs for each thread (64-byte aligned by the caller); at
/// most about max(0.9 MB, 0.1 MB + 100 k). What suffices for rows and k suffices for fewer rows and a smaller k.
ptrdiff_t ck_product_scratch_bytes(ck_type type, ptrdiff_t rows, ptrdiff_t k);

/// out[r * out_stride + j] = y(activation row r, weight row j), r in 0..<rows, j in 0..<outputs.
/// weights: `outputs` rows of k weights, row after row as in the file (any alignment).
/// A caller with several threads gives each a range of weight rows, best in multiples of 32. k is a multiple
/// of the block size. No byte outside the weight rows is read. An unknown type writes nothing.
void ck_product_quantized(ck_type type, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const void *weights,
                          const int8_t *q, const float *d, const int32_t *sum, float *out,
                          ptrdiff_t out_stride, void *scratch);

/// The plain loop of `ck_product_quantized`: its definition and reference.
void ck_product_quantized_plain(ck_type type, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k,
                                const void *weights, const int8_t *q, const float *d, const int32_t *sum,
                                float *out, ptrdiff_t out_stride);

// MARK: Products with int8 weights scaled by row
//
// Activations x are rounded per whole row, by the rules of the blocks above:
//     d = max|x| / 127,   q_i = round_to_even(x_i * (127 / max|x|)) in -127...127
// The value of weight i of a row is w_i * scale. Then, with the exact sum of integers rounded once,
//     y = float(sum_i w_i q_i) * (scale * d)
// Any k and any alignment. All forms have the same bits on every instruction set.

/// Rounds `rows` rows of `k` values; `x_stride` in floats. q: [rows, k] int8, d: [rows], sum: [rows] sums of q.
void ck_quantize_rows(ptrdiff_t rows, ptrdiff_t k, const float *x, ptrdiff_t x_stride, int8_t *q, float *d,
                      int32_t *sum);

/// Bytes of scratch memory that `ck_product_int8` needs for each thread (64-byte aligned by the caller), at most
/// 432 KiB. What suffices for rows and k suffices for fewer rows and a smaller k.
ptrdiff_t ck_product_int8_scratch_bytes(ptrdiff_t rows, ptrdiff_t k);

/// out[r * out_stride + j] = y(activation row r, weight row j), r in 0..<rows, j in 0..<outputs.
/// weights: [outputs, k], scales: [outputs]. A caller with several threads gives each a range of weight rows,
/// best in multiples of 256. Beyond k = 132,104, where a sum may leave int32, a slower form with 64-bit sums is
/// used. No byte outside the arrays is read.
void ck_product_int8(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const int8_t *weights,
                     const float *scales, const int8_t *q, const float *d, const int32_t *sum, float *out,
                     ptrdiff_t out_stride, void *scratch);

/// The plain loop of `ck_product_int8`: its definition and reference.
void ck_product_int8_plain(ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k, const int8_t *weights,
                           const float *scales, const int8_t *q, const float *d, float *out,
                           ptrdiff_t out_stride);

// MARK: Products with weights as floats

/// A matrix of weights that are used as floats.
typedef struct ck_float_weights {
    ck_type type;      // as stored
    ck_type rounding;  // CK_F16 or CK_BF16: rounded to it before use; CK_F32: used as stored
    int by_columns;    // 0: stored row j holds the k weights of output j; 1: stored row i those of input i
    const void *bytes; // the weight of the first output and input, of any alignment
    ptrdiff_t stride;  // bytes between stored rows
} ck_float_weights;

/// Activations on their way into these products are arranged in pieces of rows, so that they fall upon all
/// lines of the caches, whatever k is; with `bf16` they are rounded to bf16. Floats that `rows` rows take:
ptrdiff_t ck_arranged_floats(int bf16, ptrdiff_t rows, ptrdiff_t k);
/// Arranges `rows` rows from x on as the rows from `first` on of `all_rows`; `x_stride` in floats.
void ck_arrange_rows(int bf16, ptrdiff_t rows, ptrdiff_t k, const float *x, ptrdiff_t x_stride,
                     ptrdiff_t first, ptrdiff_t all_rows, float *out);

/// Bytes of scratch memory that a product needs for each thread, 64-byte aligned.
ptrdiff_t ck_product_float_scratch_bytes(void);

/// out[r * out_stride + j] = y for r in 0..<rows, j in 0..<outputs, of arranged rows x:
///     y = 0;  for i in 0..<k: y = fma(x_ri, w_ji, y)
/// with weights decoded exactly, then rounded if asked for; out_stride in floats. k (stored by columns: the
/// first output and their number) is a multiple of the type's block size. No byte outside the weights is read;
/// an unknown type writes nothing. Every instruction set gives the same bits.
void ck_product_float(const ck_float_weights *w, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k,
                      const float *x, float *out, ptrdiff_t out_stride, void *scratch);

/// The same of rows arranged as bf16 and weights rounded to bf16, whatever `rounding` says, in pairs:
///     y = 0;  for i in 0, 2, 4, ... < k: y = fma(x_ri, w_ji, fma(x_r,i+1, w_j,i+1, y))
/// with zeros in place of x and w beyond k. Subnormal numbers count as zeros in what goes into an fma and what
/// comes out. That is what the instruction of AVX-512 BF16 does, by Intel's manual and by test on AMD's Zen 5;
/// where there is none, the plain form is slow.
void ck_product_bf16(const ck_float_weights *w, ptrdiff_t rows, ptrdiff_t outputs, ptrdiff_t k,
                     const float *x, float *out, ptrdiff_t out_stride, void *scratch);

// MARK: Attention
//
// Keys of one head and page lie in tiles of 16 positions, [positions/16][head width][16]; values lie row by
// row, [positions][head width]. A page holds CK_PAGE_POSITIONS positions. Element type: f16 or f32.

#define CK_PAGE_POSITIONS 256
#define CK_TILE_POSITIONS 16

typedef struct ck_attention {
    int keys_are_f32;               // 0: pages hold f16, 1: f32
    const void *const *key_pages;   // page p holds positions p * 256 ..< (p + 1) * 256 of this key-value head
    const void *const *value_pages;
    ptrdiff_t head_width;           // D, any number >= 1
    ptrdiff_t group;                // query heads that share this key-value head
    ptrdiff_t rows;                 // consecutive query positions
    ptrdiff_t first_position;       // position of row 0; row r sees keys up to first_position + r if causal
    ptrdiff_t key_count;            // keys present; no row sees more, a row that is not causal sees all
    int causal;
    ptrdiff_t window;               // > 0: a row sees only the last `window` of its visible keys
    float scale;                    // multiplies q . k
    const float *slopes;            // null, or [group] ALiBi slopes: bias = slope * (key - last visible key)
    const float *biases;            // null, or [group][bias_count]: what is added at key - query = first_bias + i,
    ptrdiff_t first_bias;           // beyond the ends as at the ends. The first value stands 16 times and so does
    ptrdiff_t bias_count;           // the last, so that 16 neighbours can be read anywhere. Not beside slopes.
    const float *query;             // row r, head g at query + r * query_stride + g * D
    ptrdiff_t query_stride;
    float *out;                     // the same layout as query
    ptrdiff_t out_stride;
} ck_attention;

/// Floats of scratch (of any alignment) that `ck_attend` needs: all scores of the queries it works on at one
/// time, at most about 512 KiB unless there are very many keys.
ptrdiff_t ck_attend_scratch_floats(const ck_attention *a);

/// out = sum_j p_j v_j,  p = softmax_j(scale * (q . k_j) + bias_j) over the visible keys of the row.
/// q . k: one accumulator, fma in order of the head's dimension; the score is scale * (q . k), rounded, then
/// fma(slope, distance, score), or score + bias. Maximum; e_j = ck_exp(score_j - max); the sum of e_j in 16 partial sums by
/// (position mod 16), joined as a tree (8, 4, 2, 1); the weighted values: one accumulator per dimension,
/// fma(e_j, v_j) in order of position; then one division by the sum.
/// The result of a row does not depend on `rows` nor on any key, value or slot that it does not see (NaN and
/// infinity included). A row that sees no key gives zeros. Every instruction set gives the same bits.
void ck_attend(const ck_attention *a, float *scratch);

/// The same in three stages, so that several threads share the work of few rows: each stage is called for
/// parts which cover it, by any threads, and is complete before the next one starts. All calls for one task
/// share its scratch. The bits are those of `ck_attend`.
ptrdiff_t ck_attend_stages_scratch_floats(const ck_attention *a);
/// Stage 1, q . k at positions from ..< to of 0 ..< key_count; `from` is a multiple of 16.
void ck_attend_products(const ck_attention *a, ptrdiff_t from, ptrdiff_t to, float *scratch);
/// Stage 2, the exponentials and their sums for queries from ..< to of 0 ..< rows * group (row by row).
void ck_attend_exponentials(const ck_attention *a, ptrdiff_t from, ptrdiff_t to, float *scratch);
/// Stage 3, dimensions from ..< to of 0 ..< head_width of all outputs; `from` is a multiple of 16, and so is
/// `to` unless it is the head width.
void ck_attend_values(const ck_attention *a, ptrdiff_t from, ptrdiff_t to, float *scratch);

/// Where stage 2 left the exponentials of a query (row * group + head) for the keys *from ..< *to that it sees,
/// and their sum: stage 3 takes each value exponential / sum times. They may be changed in between.
float *ck_attend_weights(const ck_attention *a, ptrdiff_t query, ptrdiff_t *from, ptrdiff_t *to, float **sum,
                         float *scratch);

/// Writes one key (value) vector of D floats at position `position % 256` of a page.
void ck_store_key(void *page, int f32, ptrdiff_t head_width, ptrdiff_t slot, const float *key);
void ck_store_value(void *page, int f32, ptrdiff_t head_width, ptrdiff_t slot, const float *value);

// MARK: Element-wise and row operations (f32)
//
// Sums over a row are kept in 16 partial sums by (index mod 16), fma where a product is summed, then joined
// as a tree: lanes i and i + 8, then 4, 2, 1. Every instruction set gives the same bits.

/// exp(x) within 2 ulp (1.01 measured over all floats) where it is a normal number; 0 below -87.3365 (no
/// denormals), +inf above 88.7228; NaN stays NaN.
/// out may equal x.
void ck_exp(ptrdiff_t n, const float *x, float *out);

/// LayerNorm: out = (x - mean) * (1 / sqrt(var + eps)) * weight + bias, biased variance from the centred
/// values; weight and bias may be null. out may equal x.
void ck_layer_norm(ptrdiff_t n, const float *x, const float *weight, const float *bias, float eps,
                   float *out);
/// RMSNorm: out = x * (1 / sqrt(mean(x^2) + eps)) * weight; weight may be null. out may equal x.
void ck_rms_norm(ptrdiff_t n, const float *x, const float *weight, float eps, float *out);

typedef enum ck_activation {
    CK_IDENTITY = 0,
    CK_RELU = 1,
    CK_GELU_ERF = 2,    // 0.5 x (1 + erf(x / sqrt 2))
    CK_GELU_TANH = 3,   // 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    CK_QUICK_GELU = 4,  // x sigmoid(1.702 x)
    CK_SILU = 5,        // x sigmoid(x)
    CK_TANH = 6,
} ck_activation;

/// out = f(x); out may equal x. Absolute error at most 2e-7 * max(1, |x|) against the exact formula.
void ck_activate(ck_activation f, ptrdiff_t n, const float *x, float *out);
/// out = f(gate) * up; out may equal gate or up.
void ck_activate_gated(ck_activation f, ptrdiff_t n, const float *gate, const float *up, float *out);

/// Rotates the first 2 * pairs values of one head in place by the angles of `cosine` and `sine` [pairs]:
/// a' = fma(a, cos, -(b sin)), b' = fma(b, cos, a sin).
/// interleaved: pairs (2i, 2i+1) (GPT-J); else (i, i + pairs) (NeoX).
void ck_rotate(int interleaved, ptrdiff_t pairs, const float *cosine, const float *sine, float *head);

/// out = a + b; out may equal either.
void ck_add(ptrdiff_t n, const float *a, const float *b, float *out);
/// out = a * factor; out may equal a.
void ck_scale(ptrdiff_t n, const float *a, float factor, float *out);

/// The natural logarithm of sum_i exp(x_i), in double; -inf for n = 0, NaN if one of them is.
double ck_log_sum_exp(ptrdiff_t n, const float *x);

// MARK: Measuring the machine

/// Sum of n 64-bit words, read as fast as the machine allows (for measuring read bandwidth).
uint64_t ck_read_sum(ptrdiff_t n, const uint64_t *words);
typedef enum { CK_F32_FMA, CK_BF16_DOT, CK_INT8_DOT } ck_arithmetic;
/// Runs `repeats` times 64 independent chains of the densest multiply-add of the level in use: f32 fma, bf16
/// dots where the processor has them (else f32 fma), u8 x s8 dots. Returns the operations done (2 per
/// multiply-add).
double ck_peak_operations(ck_arithmetic arithmetic, ptrdiff_t repeats, float *sink);

#ifdef __cplusplus
}
#endif
#endif
