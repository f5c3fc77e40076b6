@_exported public import SparkCore
@_exported public import SparkKit
@_exported public import SparkServer
@_exported public import SparkStorage
