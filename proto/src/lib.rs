//! Generated code of the gRPC contracts.
