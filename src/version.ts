/** The version of this package, as reports record it. A test holds it equal to package.json's. */
export const HOST_VERSION = '0.1.0';
