// The little that these pages do in the browser. No build, no framework: it is served as it is.
