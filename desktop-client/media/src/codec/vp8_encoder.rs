//! A VP8 encoder for live video: libvpx in real-time mode with constant bitrate, changeable while it runs.
//!
//! Our own thin wrapper, because the published ones cannot change the bitrate of a running encoder. References: RFC 6386, libvpx
//! `vpx_encoder.h` and `vp8cx.h`.

use std::mem::MaybeUninit;
use std::ptr;

use bytes::Bytes;
use media_core::frame::I420Frame;
use vpx_sys::{
    vp8e_enc_control_id as control, vpx_codec_cx_pkt_kind, vpx_codec_enc_cfg_t, vpx_img_fmt, vpx_kf_mode,
    vpx_rc_mode,
};

use super::speed::{EncoderSpeed, SpeedControl};
use super::temporal::TemporalLayers;
use super::vpx::{Context, VpxError};

/// Largest width or height that is encoded, in pixels. VP8 could do 16 383; this bounds memory and time.
pub const MAX_ENCODED_DIMENSION: u32 = 4096;

/// The finest quantizer used, 0 to 63. Finer ones cost bits and time, and nobody sees the difference: a picture is then as good as 43 dB and more.
const FINEST_QUANTIZER: u32 = 14;

/// How to set an encoder up.
#[derive(Debug, Clone, PartialEq)]
pub struct Vp8EncoderConfig {
    /// Width of every frame in pixels, 2 to [`MAX_ENCODED_DIMENSION`].
    pub width: u32,
    /// Height of every frame in pixels, 2 to [`MAX_ENCODED_DIMENSION`].
    pub height: u32,
    /// Target in kbit/s.
    pub kbps: u32,
    /// How much time to take over a picture.
    pub speed: EncoderSpeed,
    /// Encoder threads. More than one helps only above 360p and costs overhead.
    pub threads: u32,
    /// Temporal layers.
    pub temporal_layers: TemporalLayers,
}

impl Default for Vp8EncoderConfig {
    fn default() -> Self {
        Self {
            width: 640,
            height: 360,
            kbps: 1000,
            speed: EncoderSpeed::default(),
            threads: 1,
            temporal_layers: TemporalLayers::One,
        }
    }
}

/// Why a frame was not encoded, or no encoder made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The size is not one that we encode. Scale the picture first.
    #[error("cannot encode {width}x{height}: width and height must be 2 to {MAX_ENCODED_DIMENSION} pixels")]
    Size {
        /// Asked-for width.
        width: u32,
        /// Asked-for height.
        height: u32,
    },
    /// The frame has another size than the encoder was made for. Make a new encoder.
    #[error("the encoder is set up for another size than {width}x{height}")]
    FrameSize {
        /// The frame's width.
        width: u32,
        /// The frame's height.
        height: u32,
    },
    /// libvpx refused. A new encoder may work.
    #[error(transparent)]
    Vpx(#[from] VpxError),
}

/// A frame as it came out of the encoder.
#[derive(Debug, Clone)]
pub struct EncodedPicture {
    /// The VP8 frame.
    pub data: Bytes,
    /// Decodable without any other.
    pub key: bool,
    /// Temporal layer, 0 is the base.
    pub temporal_id: u8,
    /// See [`super::temporal::Place::layer_sync`].
    pub layer_sync: bool,
    /// Nothing refers to it.
    pub discardable: bool,
}

/// The encoder.
pub struct Vp8Encoder {
    context: Context,
    raw_config: vpx_codec_enc_cfg_t,
    config: Vp8EncoderConfig,
    speed: SpeedControl,
    since_key: u32,
    last_pts: i64,
}

// SAFETY: `raw_config` holds a raw pointer only in fields for two-pass statistics, which are null; `Context` is Send.
unsafe impl Send for Vp8Encoder {}

impl Vp8Encoder {
    /// Makes an encoder.
    pub fn new(config: Vp8EncoderConfig) -> Result<Self, EncodeError> {
        let size = 2..=MAX_ENCODED_DIMENSION;
        if !size.contains(&config.width) || !size.contains(&config.height) {
            return Err(EncodeError::Size { width: config.width, height: config.height });
        }
        let raw_config = raw_config(&config)?;
        // SAFETY: `vpx_codec_vp8_cx` returns a static interface; `ctx` and `raw_config` live through the call, and libvpx copies the config.
        let context = Context::new("vpx_codec_enc_init", |ctx| unsafe {
            vpx_sys::vpx_codec_enc_init_ver(
                ctx,
                vpx_sys::vpx_codec_vp8_cx(),
                &raw_config,
                0,
                vpx_sys::VPX_ENCODER_ABI_VERSION as i32,
            )
        })?;
        let speed = SpeedControl::new(config.speed);
        let mut encoder = Self { context, raw_config, speed, since_key: 0, last_pts: -1, config };
        encoder.set_controls()?;
        Ok(encoder)
    }

    /// What it was made with, and its present bitrate.
    pub fn config(&self) -> &Vp8EncoderConfig {
        &self.config
    }

    /// Changes the target bitrate from the next frame on.
    pub fn set_kbps(&mut self, kbps: u32) -> Result<(), EncodeError> {
        let kbps = kbps.max(1);
        if self.config.kbps == kbps {
            return Ok(());
        }
        set_rates(&mut self.raw_config, kbps, self.config.temporal_layers);
        // SAFETY: the context is initialised and the config is the one that it was made with, but for the rates; libvpx copies it.
        let status =
            unsafe { vpx_sys::vpx_codec_enc_config_set(self.context.as_mut_ptr(), &self.raw_config) };
        self.context.check("vpx_codec_enc_config_set", status)?;
        self.config.kbps = kbps;
        Ok(())
    }

    /// Encodes a frame. `pts` is its media time in 90 kHz units (made to rise if it does not), `duration` the time to the next one in the
    /// same unit. `None` means that the rate control dropped the frame.
    pub fn encode(
        &mut self,
        frame: &I420Frame,
        pts: i64,
        duration: u32,
        force_key: bool,
    ) -> Result<Option<EncodedPicture>, EncodeError> {
        if (frame.width(), frame.height()) != (self.config.width, self.config.height) {
            return Err(EncodeError::FrameSize { width: frame.width(), height: frame.height() });
        }
        let force_key = force_key || self.last_pts < 0;
        let pts = pts.max(self.last_pts + 1);
        let since_key = if force_key { 0 } else { self.since_key };
        let place = self.config.temporal_layers.place(since_key);
        let flags = if force_key { vpx_sys::VPX_EFLAG_FORCE_KF } else { place.flags };
        if self.config.temporal_layers != TemporalLayers::One {
            self.control(control::VP8E_SET_TEMPORAL_LAYER_ID, i32::from(place.temporal_id))?;
        }
        self.run(frame, pts, duration, flags)?;
        self.last_pts = pts;
        let Some((data, key)) = self.packet() else { return Ok(None) };
        self.adapt_speed()?;
        // A key frame of the encoder's own (a scene cut) restarts the pattern as ours do, and is always in the base layer.
        let place = if key { self.config.temporal_layers.place(0) } else { place };
        self.since_key = if key { 1 } else { since_key.wrapping_add(1) };
        Ok(Some(EncodedPicture {
            data,
            key,
            temporal_id: place.temporal_id,
            layer_sync: place.layer_sync,
            discardable: place.discardable,
        }))
    }

    fn run(&mut self, frame: &I420Frame, pts: i64, duration: u32, flags: u32) -> Result<(), EncodeError> {
        let mut image = MaybeUninit::<vpx_sys::vpx_image_t>::zeroed();
        // SAFETY: with alignment 1 libvpx lays the planes out exactly as `I420Frame` does (chroma rounded up), so all of them lie within
        // `frame.data()`; the encoder only reads through the pointer. A non-null return means that `image` is initialised.
        let status = unsafe {
            let wrapped = vpx_sys::vpx_img_wrap(
                image.as_mut_ptr(),
                vpx_img_fmt::VPX_IMG_FMT_I420,
                frame.width(),
                frame.height(),
                1,
                frame.data().as_ptr().cast_mut(),
            );
            if wrapped.is_null() {
                return Err(EncodeError::Size { width: frame.width(), height: frame.height() });
            }
            vpx_sys::vpx_codec_encode(
                self.context.as_mut_ptr(),
                image.as_ptr(),
                pts,
                duration.max(1).into(),
                flags.into(),
                vpx_sys::VPX_DL_REALTIME.into(),
            )
        };
        Ok(self.context.check("vpx_codec_encode", status)?)
    }

    fn packet(&mut self) -> Option<(Bytes, bool)> {
        let mut iterator = ptr::null();
        let mut found = None;
        loop {
            // SAFETY: the context is initialised; the returned packet is null or valid until the next call that changes the context.
            let packet =
                unsafe { vpx_sys::vpx_codec_get_cx_data(self.context.as_mut_ptr(), &mut iterator).as_ref() };
            let Some(packet) = packet else { return found };
            if packet.kind != vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: `kind` says which member of the union is set; `buf` points to `sz` readable bytes.
            let (data, flags) = unsafe {
                let frame = &packet.data.frame;
                (std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz), frame.flags)
            };
            found = Some((Bytes::copy_from_slice(data), flags & vpx_sys::VPX_FRAME_IS_KEY != 0));
        }
    }

    fn adapt_speed(&mut self) -> Result<(), EncodeError> {
        let before = self.speed.cpu_used();
        let quantizer = self.last_quantizer()?;
        self.speed.on_picture(quantizer);
        let now = self.speed.cpu_used();
        if now == before { Ok(()) } else { self.control(control::VP8E_SET_CPUUSED, now) }
    }

    /// That of the last picture, 0 to 63.
    fn last_quantizer(&mut self) -> Result<u8, EncodeError> {
        let mut quantizer: std::ffi::c_int = 0;
        let id = control::VP8E_GET_LAST_QUANTIZER_64 as i32;
        // SAFETY: this control takes one pointer to an int, as `vp8cx.h` declares, and writes to it; the context is initialised.
        let status =
            unsafe { vpx_sys::vpx_codec_control_(self.context.as_mut_ptr(), id, &raw mut quantizer) };
        self.context.check("vpx_codec_control", status)?;
        Ok(quantizer.clamp(0, 63) as u8)
    }

    fn set_controls(&mut self) -> Result<(), EncodeError> {
        self.control(control::VP8E_SET_CPUUSED, self.speed.cpu_used())?;
        // Blocks that differ by less than this are taken as unchanged: saves time on a still background.
        self.control(control::VP8E_SET_STATIC_THRESHOLD, 1)?;
        // Neither denoising nor tricks for text: a camera's own processing is enough, and both cost time.
        self.control(control::VP8E_SET_NOISE_SENSITIVITY, 0)?;
        self.control(control::VP8E_SET_SCREEN_CONTENT_MODE, 0)?;
        self.control(control::VP8E_SET_TOKEN_PARTITIONS, 0)?;
        // A key frame may take three average frames' bits: it arrives fast on a thin link and the next frames sharpen it.
        self.control(control::VP8E_SET_MAX_INTRA_BITRATE_PCT, 300)
    }

    fn control(&mut self, id: control, value: i32) -> Result<(), EncodeError> {
        // SAFETY: each control used here takes one int by value, as `vp8cx.h` declares; the context is initialised.
        let status = unsafe { vpx_sys::vpx_codec_control_(self.context.as_mut_ptr(), id as i32, value) };
        Ok(self.context.check("vpx_codec_control", status)?)
    }
}

fn raw_config(config: &Vp8EncoderConfig) -> Result<vpx_codec_enc_cfg_t, EncodeError> {
    let mut raw = MaybeUninit::<vpx_codec_enc_cfg_t>::zeroed();
    // SAFETY: the interface is static and `raw` is writable; libvpx fills the whole struct when it returns OK.
    let status =
        unsafe { vpx_sys::vpx_codec_enc_config_default(vpx_sys::vpx_codec_vp8_cx(), raw.as_mut_ptr(), 0) };
    if status != vpx_sys::vpx_codec_err_t::VPX_CODEC_OK {
        let detail = "no default configuration".to_owned();
        return Err(VpxError { call: "vpx_codec_enc_config_default", code: status as u32, detail }.into());
    }
    // SAFETY: filled, see above.
    let mut raw = unsafe { raw.assume_init() };
    raw.g_w = config.width;
    raw.g_h = config.height;
    raw.g_timebase.num = 1;
    raw.g_timebase.den = 90_000;
    raw.g_threads = config.threads.max(1);
    raw.g_lag_in_frames = 0;
    raw.rc_end_usage = vpx_rc_mode::VPX_CBR;
    // Key frames come when they are asked for, or at a scene cut; never by a timer in a call of normal length.
    raw.kf_mode = vpx_kf_mode::VPX_KF_AUTO;
    raw.kf_max_dist = 3000;
    raw.rc_min_quantizer = FINEST_QUANTIZER;
    // The coarsest quantizer and the buffer model (milliseconds) as libwebrtc sets them for live video.
    raw.rc_max_quantizer = 56;
    raw.rc_undershoot_pct = 100;
    raw.rc_overshoot_pct = 15;
    raw.rc_buf_initial_sz = 500;
    raw.rc_buf_optimal_sz = 600;
    raw.rc_buf_sz = 1000;
    raw.rc_dropframe_thresh = 30;
    set_layers(&mut raw, config.temporal_layers);
    set_rates(&mut raw, config.kbps.max(1), config.temporal_layers);
    Ok(raw)
}

fn set_layers(raw: &mut vpx_codec_enc_cfg_t, layers: TemporalLayers) {
    raw.ts_number_layers = layers.count().into();
    let ids = layers.layer_ids();
    raw.ts_periodicity = ids.len() as u32;
    raw.ts_layer_id[..ids.len()].copy_from_slice(ids);
    let decimators = layers.rate_decimators();
    raw.ts_rate_decimator[..decimators.len()].copy_from_slice(decimators);
    // Layered frames must survive the loss of others (`VPX_ERROR_RESILIENT_DEFAULT`).
    raw.g_error_resilient = u32::from(layers != TemporalLayers::One);
}

fn set_rates(raw: &mut vpx_codec_enc_cfg_t, kbps: u32, layers: TemporalLayers) {
    raw.rc_target_bitrate = kbps;
    for (target, percent) in raw.ts_target_bitrate.iter_mut().zip(layers.cumulative_percent()) {
        *target = (u64::from(kbps) * u64::from(*percent) / 100).max(1) as u32;
    }
}
