//! The text of a WebSocket message.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use crate::protocol::frame::join;

/// The text of one WebSocket message. It is built when it is sent: until then, many connections
/// with different selections share one copy of the frames.
#[derive(Clone)]
pub struct Text {
    frames: Rc<Vec<String>>,
    list: Vec<usize>,
}

impl Text {
    /// The text of these frames, by their indices among all frames of an input.
    pub fn new(frames: Rc<Vec<String>>, list: Vec<usize>) -> Self {
        Self { frames, list }
    }

    /// The whole of it.
    pub fn whole(&self) -> Cow<'_, str> {
        let frames = self.list.iter().filter_map(|index| self.frames.get(*index));
        let frames: Vec<&String> = frames.collect();
        match *frames {
            [only] => Cow::Borrowed(only),
            _ => Cow::Owned(join(&frames)),
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        let frames = Rc::new(vec![text]);
        Self {
            frames,
            list: vec![0],
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.whole() == other.whole()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole().fmt(formatter)
    }
}
