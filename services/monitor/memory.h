/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers that cost nothing while they are empty: address space is reserved, pages come with the first byte and go back
 * when the container is quiet. A monitor's memory is the price of a container.
 */
#pragma once

#include <stddef.h>
#include <sys/mman.h>

/* Reserves a zeroed buffer of whole pages; NULL if the kernel refuses. */
static inline void *memory_reserve(size_t n_bytes)
{
    void *buffer = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return buffer == MAP_FAILED ? NULL : buffer;
}

/* Makes it `n_bytes` long, moving it if need be; NULL (and the old one stays) if the kernel refuses. */
static inline void *memory_grow(void *buffer, size_t old_bytes, size_t n_bytes)
{
    void *larger = mremap(buffer, old_bytes, n_bytes, MREMAP_MAYMOVE);
    return larger == MAP_FAILED ? NULL : larger;
}

/* Gives the pages back; the content is gone, the buffer stays. */
static inline void memory_forget(void *buffer, size_t n_bytes)
{
    (void)madvise(buffer, n_bytes, MADV_DONTNEED);
}
