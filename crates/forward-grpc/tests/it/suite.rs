//! What every home of a forwarder keeps, in process, over a duplex in memory, and over loopback TCP.

use crate::homes::{InMemory, InProcess, OverTcp};

forward::suite!(in_process, InProcess);
forward::suite!(in_memory, InMemory);
forward::suite!(over_tcp, OverTcp);
