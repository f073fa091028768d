/**
 * How glibc's malloc is told to give memory back, as `npm start` and the image start the service. A promotion starts new threads, of which
 * each would take an arena of its own: two are enough. And freeing a model makes malloc raise the size from which it asks the system for
 * a block (mallopt(3), M_MMAP_THRESHOLD), so that the next models lie among small objects that outlive them: a size that is set stays.
 * Where there is no glibc they say nothing.
 */
export const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' } as const
