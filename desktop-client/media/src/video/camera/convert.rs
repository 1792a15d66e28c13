//! Raw camera pictures to I420.
//!
//! Webcams deliver YUYV or NV12 in BT.601 limited range, which only has to be rearranged, or MJPEG in full range. RGB comes from odd ones.

use std::time::Instant;

use media_core::frame::I420Frame;
use nokhwa::utils::FrameFormat;
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
    bgr_to_yuv420, rgb_to_yuv420, yuyv422_to_yuv420,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::codec::vp8_encoder::MAX_ENCODED_DIMENSION;

/// Why a raw picture gave no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// Zero, or larger than can be encoded.
    #[error("a picture of {0}x{1}")]
    Size(u32, u32),
    /// The data does not hold a whole picture, as cameras deliver now and then.
    #[error("a picture that is not whole")]
    Short,
    /// The data is no picture of the format that the camera promised.
    #[error("a damaged picture: {0}")]
    Damaged(String),
}

/// Converts a raw picture. MJPEG pictures know their own size.
pub fn to_i420(
    format: FrameFormat,
    (width, height): (u32, u32),
    data: &[u8],
    time: Instant,
) -> Result<I420Frame, ConvertError> {
    if format == FrameFormat::MJPEG {
        return jpeg(data, time);
    }
    let size = 2..=MAX_ENCODED_DIMENSION;
    if !size.contains(&width) || !size.contains(&height) {
        return Err(ConvertError::Size(width, height));
    }
    let (w, h) = (width as usize, height as usize);
    let mut planes = vec![0; I420Frame::byte_len(width, height)];
    match format {
        FrameFormat::YUYV => yuyv(&mut planes, (width, height), whole(data, w.next_multiple_of(2) * 2 * h)?)?,
        FrameFormat::NV12 => {
            nv12(&mut planes, w, h, whole(data, w * h + w.next_multiple_of(2) * h.div_ceil(2))?);
        }
        FrameFormat::GRAY => {
            planes[..w * h].copy_from_slice(whole(data, w * h)?);
            planes[w * h..].fill(128);
        }
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => {
            rgb(&mut planes, format, (width, height), whole(data, w * h * 3)?)?;
        }
        FrameFormat::MJPEG => {}
    }
    I420Frame::from_vec(width, height, planes, time).map_err(|_| ConvertError::Size(width, height))
}

fn whole(data: &[u8], length: usize) -> Result<&[u8], ConvertError> {
    data.get(..length).ok_or(ConvertError::Short)
}

/// The planes of a packed I420 picture, as the `yuv` crate takes them.
fn planar(planes: &mut [u8], (width, height): (u32, u32)) -> YuvPlanarImageMut<'_, u8> {
    let chroma_width = width.div_ceil(2);
    let (y, chroma) = planes.split_at_mut(width as usize * height as usize);
    let (u, v) = chroma.split_at_mut(chroma.len() / 2);
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: chroma_width,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: chroma_width,
        width,
        height,
    }
}

fn yuyv(planes: &mut [u8], size: (u32, u32), data: &[u8]) -> Result<(), ConvertError> {
    let (width, height) = size;
    let stride = width.next_multiple_of(2) * 2;
    let packed = YuvPackedImage { yuy: data, yuy_stride: stride, width, height };
    yuyv422_to_yuv420(&mut planar(planes, size), &packed)
        .map_err(|error| ConvertError::Damaged(error.to_string()))?;
    if height % 2 == 1 {
        last_row(planes, size, &data[(height as usize - 1) * stride as usize..]);
    }
    Ok(())
}

/// The last of an odd number of rows, which `yuv` leaves out.
fn last_row(planes: &mut [u8], (width, height): (u32, u32), row: &[u8]) {
    let (luma, chroma) = planes.split_at_mut(width as usize * height as usize);
    let (u, v) = chroma.split_at_mut(chroma.len() / 2);
    let luma_row = luma.len() - width as usize;
    let chroma_row = u.len() - width.div_ceil(2) as usize;
    for (pixel, pair) in luma[luma_row..].iter_mut().zip(row.chunks_exact(2)) {
        *pixel = pair[0];
    }
    for ((u, v), four) in u[chroma_row..].iter_mut().zip(&mut v[chroma_row..]).zip(row.chunks_exact(4)) {
        (*u, *v) = (four[1], four[3]);
    }
}

fn nv12(planes: &mut [u8], width: usize, height: usize, data: &[u8]) {
    let (luma, chroma) = planes.split_at_mut(width * height);
    let (u, v) = chroma.split_at_mut(chroma.len() / 2);
    luma.copy_from_slice(&data[..width * height]);
    let pairs = data[width * height..].chunks_exact(2);
    for ((u, v), pair) in u.iter_mut().zip(v).zip(pairs) {
        *u = pair[0];
        *v = pair[1];
    }
}

fn rgb(planes: &mut [u8], format: FrameFormat, size: (u32, u32), data: &[u8]) -> Result<(), ConvertError> {
    let convert = if format == FrameFormat::RAWRGB { rgb_to_yuv420 } else { bgr_to_yuv420 };
    let (range, matrix, mode) = (YuvRange::Limited, YuvStandardMatrix::Bt601, YuvConversionMode::Balanced);
    convert(&mut planar(planes, size), data, size.0 * 3, range, matrix, mode)
        .map_err(|error| ConvertError::Damaged(error.to_string()))
}

fn jpeg(data: &[u8], time: Instant) -> Result<I420Frame, ConvertError> {
    let damaged = |error: zune_jpeg::errors::DecodeErrors| ConvertError::Damaged(error.to_string());
    let most = MAX_ENCODED_DIMENSION as usize;
    let options = DecoderOptions::default()
        .set_max_width(most)
        .set_max_height(most)
        .jpeg_set_out_colorspace(ColorSpace::YCbCr);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.info().map(|info| (info.width, info.height)).ok_or(ConvertError::Short)?;
    if decoder.input_colorspace() == Some(ColorSpace::Luma) {
        decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
        let luma = decoder.decode().map_err(damaged)?;
        return from_full_range(u32::from(width), u32::from(height), &luma, 1, time);
    }
    let pixels = decoder.decode().map_err(damaged)?;
    from_full_range(u32::from(width), u32::from(height), &pixels, 3, time)
}

/// Interleaved full-range YCbCr 4:4:4 (3 bytes a pixel) or luma (1) to limited-range I420; chroma is the mean of four pixels.
fn from_full_range(
    width: u32,
    height: u32,
    pixels: &[u8],
    bytes: usize,
    time: Instant,
) -> Result<I420Frame, ConvertError> {
    let (w, h) = (width as usize, height as usize);
    if w < 2 || h < 2 {
        return Err(ConvertError::Size(width, height));
    }
    let pixels = whole(pixels, w * h * bytes)?;
    let luma: [u8; 256] = std::array::from_fn(|v| (16 + (v * 219 + 127) / 255) as u8);
    let mut planes = Vec::with_capacity(I420Frame::byte_len(width, height));
    planes.extend(pixels.chunks_exact(bytes).map(|pixel| luma[usize::from(pixel[0])]));
    if bytes == 3 {
        for channel in [1, 2] {
            for rows in pixels.chunks(2 * w * 3) {
                halve(rows, w, channel, &mut planes);
            }
        }
    } else {
        planes.resize(I420Frame::byte_len(width, height), 128);
    }
    I420Frame::from_vec(width, height, planes, time).map_err(|_| ConvertError::Size(width, height))
}

/// One row of a chroma plane out of two (at the end perhaps one) rows of pixels.
fn halve(rows: &[u8], width: usize, channel: usize, out: &mut Vec<u8>) {
    let (first, second) = rows.split_at(width * 3);
    let second = if second.len() == first.len() { second } else { first };
    for (a, b) in first.chunks(6).zip(second.chunks(6)) {
        // At an odd right edge the last pixel stands for its missing neighbour.
        let at = |pair: &[u8]| {
            u32::from(pair[channel]) + u32::from(*pair.get(3 + channel).unwrap_or(&pair[channel]))
        };
        let mean = (at(a) + at(b) + 2) / 4;
        // 128 ± 127 becomes 128 ± 112.
        out.push(((mean * 224 + 128 * 31 + 127) / 255) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: (u8, u8, u8) = (120, 90, 200);

    fn check(frame: &I420Frame, size: (u32, u32), (y, u, v): (u8, u8, u8)) {
        assert_eq!((frame.width(), frame.height()), size);
        let near = |plane: &[u8], value: u8| plane.iter().all(|pixel| pixel.abs_diff(value) <= 2);
        let planes = frame.planes();
        assert!(near(planes.0, y) && near(planes.1, u) && near(planes.2, v), "{size:?}: {planes:?}");
    }

    #[test]
    fn packed_and_planar_pictures_keep_their_colours() {
        let (y, u, v) = GREY;
        let now = Instant::now();
        for size in [(8, 6), (640, 360), (6, 5)] {
            let pixels = (size.0 * size.1) as usize;
            let yuyv = [y, u, y, v].repeat(pixels / 2);
            check(&to_i420(FrameFormat::YUYV, size, &yuyv, now).unwrap(), size, GREY);
            let chroma = (size.0.div_ceil(2) * size.1.div_ceil(2)) as usize;
            let nv12 = [vec![y; pixels], [u, v].repeat(chroma)].concat();
            check(&to_i420(FrameFormat::NV12, size, &nv12, now).unwrap(), size, GREY);
            check(&to_i420(FrameFormat::GRAY, size, &vec![y; pixels], now).unwrap(), size, (y, 128, 128));
            let white = vec![255; pixels * 3];
            check(&to_i420(FrameFormat::RAWRGB, size, &white, now).unwrap(), size, (235, 128, 128));
        }
    }

    #[test]
    fn red_is_red_in_both_orders_of_rgb() {
        let now = Instant::now();
        let red = to_i420(FrameFormat::RAWRGB, (4, 4), &[255, 0, 0].repeat(16), now).unwrap();
        let same = to_i420(FrameFormat::RAWBGR, (4, 4), &[0, 0, 255].repeat(16), now).unwrap();
        assert_eq!(red.data(), same.data());
        check(&red, (4, 4), (81, 90, 240));
    }

    #[test]
    fn full_range_jpeg_pixels_become_limited_range() {
        let now = Instant::now();
        for size in [(4, 4), (5, 3)] {
            let count = (size.0 * size.1) as usize;
            let white = [255, 128, 128].repeat(count);
            check(&from_full_range(size.0, size.1, &white, 3, now).unwrap(), size, (235, 128, 128));
            let loud = [0, 255, 0].repeat(count);
            check(&from_full_range(size.0, size.1, &loud, 3, now).unwrap(), size, (16, 240, 16));
        }
    }

    #[test]
    fn what_is_not_whole_or_absurd_is_an_error() {
        let now = Instant::now();
        for format in [FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::GRAY, FrameFormat::RAWRGB] {
            assert_eq!(to_i420(format, (64, 64), &[0; 100], now), Err(ConvertError::Short));
            assert_eq!(to_i420(format, (0, 64), &[0; 100], now), Err(ConvertError::Size(0, 64)));
            assert!(to_i420(format, (u32::MAX, u32::MAX), &[0; 100], now).is_err());
        }
        for garbage in [&[][..], &[0xFF, 0xD8], &[0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, 0xFF, 0xFF], &[7; 5000]] {
            assert!(to_i420(FrameFormat::MJPEG, (64, 64), garbage, now).is_err());
        }
    }
}
