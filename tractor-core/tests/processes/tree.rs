//! A tree of the actors of these tests, as its root drives it.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustix::process::Pid;
use tractor_core::guardian;
use tractor_core::host::{ProcessHost, StartError, StartProcess, StartedProcess, linux};
use tractor_core::testing::PATIENCE;
use tractor_ipc::{ActorId, ActorName, TreeId};

/// A tree whose actors are those of [`crate::actor`].
#[derive(Clone)]
pub(crate) struct Tree {
    pub(crate) host: Arc<dyn ProcessHost>,
    pub(crate) id: TreeId,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self {
            host: guardian::for_this_process().unwrap(),
            id: TreeId::new(),
        }
    }

    pub(crate) async fn start(&self, name: &str) -> Member {
        self.try_start(name, |_| ()).await.unwrap()
    }

    pub(crate) async fn try_start(
        &self,
        name: &str,
        change: impl FnOnce(&mut StartProcess),
    ) -> Result<Member, StartError> {
        let (mut request, link) = self.request(name);
        change(&mut request);
        let process = self.host.start(request).await?;
        Ok(Member { process, link })
    }

    pub(crate) fn request(&self, name: &str) -> (StartProcess, Link) {
        let (ours, theirs): (OwnedFd, OwnedFd) = linux::stream_pair().unwrap();
        let actor = ActorId::new(ActorName::new(name).unwrap());
        let request = StartProcess::new(actor, self.id, theirs);
        (request, Link::new(ours))
    }
}

/// An actor of the tree, seen from its parent.
pub(crate) struct Member {
    pub(crate) process: StartedProcess,
    pub(crate) link: Link,
}

impl Member {
    pub(crate) fn ask(&mut self, what: &str) -> String {
        self.link.ask(what)
    }

    pub(crate) fn tell(&mut self, what: &str) {
        self.link.tell(what);
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.process.pid.cast_signed()).unwrap()
    }
}

/// Lines to and from an actor.
pub(crate) struct Link {
    stream: BufReader<UnixStream>,
}

impl Link {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        let stream = UnixStream::from(fd);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        self.stream.get_ref()
    }

    pub(crate) fn tell(&mut self, what: &str) {
        let line = format!("{what}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    pub(crate) fn ask(&mut self, what: &str) -> String {
        self.tell(what);
        self.hear()
    }

    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the actor answers");
        line.trim_end().to_owned()
    }
}
