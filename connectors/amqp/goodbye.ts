/** How long the broker may take to say goodbye: of one that is gone nobody hears. */
export const goodbyeMs = 1_000;
