//! The suite, held against homes in this process: the plain one, and ones that break a promise and must be found out.

mod broken_homes;

use std::sync::Arc;

use forward::{Forward, suite::Home};

/// The forwarder itself.
struct InProcess;

#[async_trait::async_trait]
impl Home for InProcess {
    async fn house(&self, forwarder: Arc<dyn Forward>) -> Arc<dyn Forward> {
        forwarder
    }
}

forward::suite!(in_process, InProcess);
