export type { CallOptions, Page } from "./caller.js";
export { Spark, type SparkOptions, type Tokens } from "./client.js";
export * as models from "./models.js";
export { SparkProblem, SparkUnreachable } from "./problem.js";
export { MessageRefused, type Sending, Stream, StreamEnded, type StreamOptions, StreamTimeout } from "./stream.js";
export type { StreamPosition, TransportName } from "./transports.js";
