//! traceql
