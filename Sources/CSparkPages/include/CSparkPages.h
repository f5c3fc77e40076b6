#ifndef SPARK_CSPARKPAGES_H
#define SPARK_CSPARKPAGES_H

#include <stddef.h>

/// The bytes of a file of `web`, as they were when the package was built.
/// They live in the binary and are never freed; no zero byte follows them.
typedef struct {
    const unsigned char *_Nonnull bytes;
    size_t length;
} SparkPageFile;

/// web/metrics.js
SparkPageFile spark_page_metrics_script(void);
/// web/metrics.css
SparkPageFile spark_page_metrics_style(void);

#endif
