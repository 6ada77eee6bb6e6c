"""The Open Inference Protocol V2 of KServe and Triton, by REST and by gRPC."""
