#ifndef CORVID_ONEDNN_SHIM_H
#define CORVID_ONEDNN_SHIM_H
#include <oneapi/dnnl/dnnl.h>

// oneDNN brings OpenMP's own threads; each of our workers tells it to use none.
extern void omp_set_num_threads(int threads);

#endif
