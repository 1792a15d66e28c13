//! A VP8 decoder that is safe to feed with whatever a peer sends. Reference: RFC 6386, libvpx `vpx_decoder.h`.

use std::mem::MaybeUninit;
use std::ptr;
use std::time::Instant;

use media_core::frame::I420Frame;
use vpx_sys::{
    vp8_dec_control_id, vpx_codec_dec_cfg_t, vpx_codec_err_t, vpx_codec_stream_info_t, vpx_image_t,
};

use super::vpx::{Context, VpxError};

/// Most pixels in a decoded picture: 4096 × 2304. A peer that claims more would cost hundreds of megabytes.
pub const MAX_DECODED_PIXELS: u32 = 4096 * 2304;

/// Most bytes in an encoded frame.
pub const MAX_ENCODED_BYTES: usize = 4 << 20;

/// Why a frame gave no picture. After any of these the stream can only go on at a key frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Empty, or larger than [`MAX_ENCODED_BYTES`].
    #[error("an encoded frame of {0} bytes")]
    Length(usize),
    /// The picture would be larger than [`MAX_DECODED_PIXELS`].
    #[error("a picture of {width}x{height} is too large")]
    TooLarge {
        /// Claimed width.
        width: u32,
        /// Claimed height.
        height: u32,
    },
    /// A delta frame where only a key frame makes sense.
    #[error("waiting for a key frame")]
    NeedsKeyFrame,
    /// The data is damaged.
    #[error("the frame is damaged")]
    Corrupt,
    /// libvpx refused the data.
    #[error(transparent)]
    Vpx(#[from] VpxError),
}

/// The decoder.
pub struct Vp8Decoder {
    context: Context,
    needs_key: bool,
}

impl Vp8Decoder {
    /// Makes a decoder that waits for a key frame.
    pub fn new() -> Result<Self, DecodeError> {
        let config = vpx_codec_dec_cfg_t { threads: 1, w: 0, h: 0 };
        // SAFETY: the interface is static, `ctx` and `config` live through the call, and libvpx copies the config.
        let context = Context::new("vpx_codec_dec_init", |ctx| unsafe {
            vpx_sys::vpx_codec_dec_init_ver(
                ctx,
                vpx_sys::vpx_codec_vp8_dx(),
                &config,
                0,
                vpx_sys::VPX_DECODER_ABI_VERSION as i32,
            )
        })?;
        Ok(Self { context, needs_key: true })
    }

    /// Only a key frame will be decoded next: at the start, after an error, or after [`Self::expect_key_frame`].
    pub fn needs_key_frame(&self) -> bool {
        self.needs_key
    }

    /// A frame was lost: refuse all until a key frame, so that no smeared picture is shown.
    pub fn expect_key_frame(&mut self) {
        self.needs_key = true;
    }

    /// Decodes a frame; `time` is put into the picture. `None` for a frame that is not to be shown.
    pub fn decode(&mut self, data: &[u8], time: Instant) -> Result<Option<I420Frame>, DecodeError> {
        let result = self.try_decode(data, time);
        self.needs_key = result.is_err();
        result
    }

    fn try_decode(&mut self, data: &[u8], time: Instant) -> Result<Option<I420Frame>, DecodeError> {
        if data.is_empty() || data.len() > MAX_ENCODED_BYTES {
            return Err(DecodeError::Length(data.len()));
        }
        match key_frame_size(data)? {
            Some((width, height)) if width.saturating_mul(height) > MAX_DECODED_PIXELS => {
                return Err(DecodeError::TooLarge { width, height });
            }
            Some(_) => {}
            None if self.needs_key => return Err(DecodeError::NeedsKeyFrame),
            None => {}
        }
        // SAFETY: the context is initialised and `data` is readable for its length, which fits (see above).
        let status = unsafe {
            vpx_sys::vpx_codec_decode(
                self.context.as_mut_ptr(),
                data.as_ptr(),
                data.len() as u32,
                ptr::null_mut(),
                0,
            )
        };
        self.context.check("vpx_codec_decode", status)?;
        let picture = self.picture(time)?;
        if self.is_corrupt()? {
            return Err(DecodeError::Corrupt);
        }
        Ok(picture)
    }

    /// libvpx decodes as much as it can of a truncated frame, and says so only when asked.
    fn is_corrupt(&mut self) -> Result<bool, DecodeError> {
        let mut corrupt: i32 = 0;
        // SAFETY: this control takes a pointer to an int, which it fills (`vp8dx.h`).
        let status = unsafe {
            vpx_sys::vpx_codec_control_(
                self.context.as_mut_ptr(),
                vp8_dec_control_id::VP8D_GET_FRAME_CORRUPTED as i32,
                &mut corrupt as *mut i32,
            )
        };
        self.context.check("VP8D_GET_FRAME_CORRUPTED", status)?;
        Ok(corrupt != 0)
    }

    fn picture(&mut self, time: Instant) -> Result<Option<I420Frame>, DecodeError> {
        let mut iterator = ptr::null();
        // SAFETY: the context is initialised; the image is null or valid until the next call on the context. VP8 gives at most one per frame.
        let image =
            unsafe { vpx_sys::vpx_codec_get_frame(self.context.as_mut_ptr(), &mut iterator).as_ref() };
        image.map(|image| copy(image, time)).transpose()
    }
}

/// Width and height that a key frame claims; `None` for a delta frame.
fn key_frame_size(data: &[u8]) -> Result<Option<(u32, u32)>, DecodeError> {
    let mut info = MaybeUninit::<vpx_codec_stream_info_t>::zeroed();
    // SAFETY: all-zero is valid for this struct of integers; `sz` must be its size, as `vpx_decoder.h` asks; `data` is readable for its length.
    let (status, info) = unsafe {
        (*info.as_mut_ptr()).sz = size_of::<vpx_codec_stream_info_t>() as u32;
        let interface = vpx_sys::vpx_codec_vp8_dx();
        let status = vpx_sys::vpx_codec_peek_stream_info(
            interface,
            data.as_ptr(),
            data.len() as u32,
            info.as_mut_ptr(),
        );
        (status, info.assume_init())
    };
    // The lowest bit of the first byte is 0 in a key frame (RFC 6386 §9.1).
    if data.first().is_some_and(|first| first & 1 == 1) {
        return Ok(None);
    }
    if status != vpx_codec_err_t::VPX_CODEC_OK || info.w == 0 || info.h == 0 {
        return Err(DecodeError::Corrupt);
    }
    Ok(Some((info.w, info.h)))
}

fn copy(image: &vpx_image_t, time: Instant) -> Result<I420Frame, DecodeError> {
    let (width, height) = (image.d_w, image.d_h);
    let mut data = Vec::with_capacity(I420Frame::byte_len(width, height));
    let planes =
        [(width, height), (width.div_ceil(2), height.div_ceil(2)), (width.div_ceil(2), height.div_ceil(2))];
    for (index, (plane_width, plane_height)) in planes.into_iter().enumerate() {
        for row in 0..plane_height {
            // SAFETY: libvpx's planes hold `d_h` (chroma: half, rounded up) rows of at least `d_w` (half) bytes, `stride` apart, until the
            // next call on the decoder, which `image`'s borrow does not outlive. The offset fits: pixels are bounded by MAX_DECODED_PIXELS.
            let row = unsafe {
                let start = image.planes[index].offset(row as isize * image.stride[index] as isize);
                std::slice::from_raw_parts(start, plane_width as usize)
            };
            data.extend_from_slice(row);
        }
    }
    I420Frame::from_vec(width, height, data, time).map_err(|_| DecodeError::Corrupt)
}
