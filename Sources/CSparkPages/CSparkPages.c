#include "CSparkPages.h"

// Embedded like the demo town's files: the binary is one file, and a changed file is embedded again.
#ifndef __has_embed
#error "The compiler must know C23's #embed: clang 19 or later."
#endif

// #embed is part of C23; clang accepts it in earlier modes with a warning.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char script[] = {
#embed "web/metrics.js"
};

static const unsigned char style[] = {
#embed "web/metrics.css"
};

SparkPageFile spark_page_metrics_script(void) { return (SparkPageFile){script, sizeof script}; }
SparkPageFile spark_page_metrics_style(void) { return (SparkPageFile){style, sizeof style}; }
