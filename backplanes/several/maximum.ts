/** The most backplanes that are joined to one. */
export const MAXIMUM_BACKPLANES = 4;
