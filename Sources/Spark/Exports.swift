// `import Spark` is all that a module outside this repository needs.
@_exported public import HTTPTypes
@_exported public import SparkCore
@_exported public import SparkKit
@_exported public import SparkServer
@_exported public import SparkStorage
