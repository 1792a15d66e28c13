//! What the VP8 encoder and decoder share: the libvpx context and its status codes.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use vpx_sys::{vpx_codec_ctx_t, vpx_codec_err_t};

/// A call into libvpx failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("libvpx: {call} failed ({code}): {detail}")]
pub struct VpxError {
    /// The libvpx function.
    pub call: &'static str,
    /// `vpx_codec_err_t` as a number.
    pub code: u32,
    /// What libvpx says about it.
    pub detail: String,
}

/// An initialised libvpx context, destroyed on drop. Boxed, so that its address stays what libvpx was given.
pub(super) struct Context {
    raw: Box<vpx_codec_ctx_t>,
}

// SAFETY: a libvpx context is tied to no thread: it may be used from any, as long as only one uses it at a time, which `&mut self` ensures.
unsafe impl Send for Context {}

impl Context {
    /// Runs `init` (a `vpx_codec_*_init_ver` call) on a zeroed context.
    pub fn new(
        call: &'static str,
        init: impl FnOnce(*mut vpx_codec_ctx_t) -> vpx_codec_err_t,
    ) -> Result<Self, VpxError> {
        // SAFETY: all-zero is a valid value: null pointers, zero flags, and error code 0 (`VPX_CODEC_OK`).
        let mut raw = Box::new(unsafe { MaybeUninit::<vpx_codec_ctx_t>::zeroed().assume_init() });
        let status = init(&mut *raw);
        // libvpx frees what a failed init allocated, so only a successful one reaches `Drop`.
        check(call, status, None)?;
        Ok(Self { raw })
    }

    /// The pointer that libvpx functions take.
    pub fn as_mut_ptr(&mut self) -> *mut vpx_codec_ctx_t {
        &mut *self.raw
    }

    /// Turns a status into an error with libvpx's own words.
    pub fn check(&mut self, call: &'static str, status: vpx_codec_err_t) -> Result<(), VpxError> {
        check(call, status, Some(&mut *self.raw))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context was initialised (see `new`) and is destroyed only here.
        unsafe { vpx_sys::vpx_codec_destroy(&mut *self.raw) };
    }
}

fn check(
    call: &'static str,
    status: vpx_codec_err_t,
    ctx: Option<&mut vpx_codec_ctx_t>,
) -> Result<(), VpxError> {
    if status == vpx_codec_err_t::VPX_CODEC_OK {
        return Ok(());
    }
    // SAFETY: `vpx_codec_err_to_string` returns a pointer to a static string for every code.
    let mut detail = unsafe { text(vpx_sys::vpx_codec_err_to_string(status)) };
    if let Some(ctx) = ctx {
        // SAFETY: `ctx` is an initialised context; the result is null or a string that lives until the next call on it.
        let more = unsafe { text(vpx_sys::vpx_codec_error_detail(ctx)) };
        if !more.is_empty() {
            detail = format!("{detail}: {more}");
        }
    }
    Err(VpxError { call, code: status as u32, detail })
}

/// # Safety
/// `pointer` is null or points to a NUL-terminated string that outlives this call.
unsafe fn text(pointer: *const std::ffi::c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: by this function's contract.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}
