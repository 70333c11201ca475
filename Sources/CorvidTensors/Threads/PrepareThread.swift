import COneDNN

/// Called first on every thread of a pool: oneDNN must not start threads of its own beside ours.
func prepareThread() { omp_set_num_threads(1) }
