//! What a whole store does, reached over a duplex in memory and over loopback TCP.

mod in_memory {
    store::store_suite!(store::suite::memory::home, crate::homes::in_memory);
}

mod over_tcp {
    store::store_suite!(store::suite::memory::home, crate::homes::over_tcp);
}
