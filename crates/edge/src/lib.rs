//! HTTP in: accept loop, hygiene, the path of a call, management REST.
