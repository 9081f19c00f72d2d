//! The identity and the capability of a client (P2): a JWT in, a [`Grant`] out.
//!
//! Pure: keys, time and the platform's verdict on a signature are inputs. The Worker checks a
//! token before it wakes a session (P2.5), the session that of an `auth` frame (P2.6), both in
//! these steps: [`check_size`], [`Header::read`], [`Keys::find`], the platform's check of the
//! signature, [`Claims::read`], [`Claims::grant`].

mod algorithm;
mod claims;
mod development;
mod grant;
mod header;
mod jwk;
mod key;
mod keys;
mod only;
mod own;
mod printable;
mod refusal;

pub use self::algorithm::Algorithm;
pub(crate) use self::claims::check_client;
pub use self::claims::{CLIENT_LENGTH, Expected, LEEWAY_MS};
pub use self::development::development_claims;
pub use self::grant::{Claims, Grant};
pub use self::header::{Header, check_size};
pub use self::key::Key;
pub use self::keys::Keys;
pub use self::only::OneThing;
pub use self::own::{OWN_KID, decide_claims, session_claims};
pub use self::refusal::unauthorized;
