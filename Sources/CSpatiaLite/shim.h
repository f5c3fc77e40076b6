#ifndef SPARK_CSPATIALITE_SHIM_H
#define SPARK_CSPATIALITE_SHIM_H
#include <sqlite3.h>
#include <spatialite.h>
#endif
