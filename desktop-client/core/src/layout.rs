//! Where the tiles of a call go: all of one size, as large as the area allows, or one large and the others in a strip beside it.

/// Width ÷ height of a tile, that of most cameras; the widest that tiles get.
pub const TILE_ASPECT: f32 = 16.0 / 9.0;

/// A rectangle in the unit of the area that was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tile {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// Places `count` tiles with `gap` between them in an area of `width` × `height`. Where there is height to fill, tiles become as narrow as
/// `narrowest` (width ÷ height, at most [`TILE_ASPECT`]).
///
/// Of all numbers of columns, the one with the largest tiles is taken; of equals, the one with the fewest rows. The block is centred, and so is
/// a last row that is not full. An area without room gives tiles of size zero, never negative ones.
pub fn grid(count: usize, width: f32, height: f32, gap: f32, narrowest: f32) -> Vec<Tile> {
    if count == 0 {
        return Vec::new();
    }
    let mut best = ((0.0, 0.0), count);
    for columns in (1..=count).rev() {
        let tile = tile_size(columns, count.div_ceil(columns), (width, height), gap, narrowest);
        if tile.0 * tile.1 > best.0.0 * best.0.1 {
            best = (tile, columns);
        }
    }
    let (tile, columns) = best;
    place(count, columns, tile, (width, height), gap)
}

/// One large tile, and a strip of small ones below it or at its right.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The large one.
    pub large: Tile,
    /// Where the strip shows.
    pub strip: Tile,
    /// The strip's tiles. When they do not all fit they go on beyond its end, and the strip is scrolled.
    pub small: Vec<Tile>,
    /// The strip is a row below the large tile; otherwise a column at its right.
    pub below: bool,
}

/// Height of the strip's tiles: this share of the area's height, within these limits. Between many of them they become as low as the lower one, not lower.
const SMALL_SHARE: f32 = 0.22;
const SMALL_HEIGHTS: (f32, f32) = (72.0, 150.0);

/// More of the area's width or height than this the strip never takes.
const STRIP_SHARE_MAX: f32 = 0.4;

/// Places a large tile and `count` small ones with `gap` between them in an area of `width` × `height`: the strip is where it leaves the larger picture of
/// [`TILE_ASPECT`] to the large tile. A strip that is not full is centred. An area without room gives tiles of size zero.
pub fn stage(count: usize, width: f32, height: f32, gap: f32) -> Stage {
    let area = (width.max(0.0), height.max(0.0));
    let [below, right] = [true, false].map(|below| staged(count, area, gap, below));
    if picture_width(&right.large) > picture_width(&below.large) { right } else { below }
}

/// How wide a picture of [`TILE_ASPECT`] is that shows whole in this tile.
fn picture_width(tile: &Tile) -> f32 {
    tile.width.min(tile.height * TILE_ASPECT)
}

fn staged(count: usize, (width, height): (f32, f32), gap: f32, below: bool) -> Stage {
    if count == 0 {
        let large = Tile { x: 0.0, y: 0.0, width, height };
        let strip = Tile { x: 0.0, y: height, width, height: 0.0 };
        return Stage { large, strip, small: Vec::new(), below };
    }
    let gaps = gap * (count - 1) as f32;
    let most = (height * SMALL_SHARE).clamp(SMALL_HEIGHTS.0, SMALL_HEIGHTS.1);
    let across_max = STRIP_SHARE_MAX * if below { height } else { width / TILE_ASPECT };
    let most = most.min(across_max);
    let fitting =
        if below { (width - gaps) / count as f32 / TILE_ASPECT } else { (height - gaps) / count as f32 };
    let small_height = fitting.clamp(SMALL_HEIGHTS.0.min(most), most);
    let small_width = small_height * TILE_ASPECT;
    let (extent, room) = if below {
        (small_width * count as f32 + gaps, width)
    } else {
        (small_height * count as f32 + gaps, height)
    };
    let first = ((room - extent) / 2.0).max(0.0);
    let step = gap + if below { small_width } else { small_height };
    let (large, strip) = if below {
        let top = (height - small_height).max(0.0);
        let large = Tile { x: 0.0, y: 0.0, width, height: (top - gap).max(0.0) };
        (large, Tile { x: 0.0, y: top, width, height: small_height })
    } else {
        let left = (width - small_width).max(0.0);
        let large = Tile { x: 0.0, y: 0.0, width: (left - gap).max(0.0), height };
        (large, Tile { x: left, y: 0.0, width: small_width, height })
    };
    let small = (0..count)
        .map(|index| {
            let along = first + step * index as f32;
            let (x, y) = if below { (along, strip.y) } else { (strip.x, along) };
            Tile { x, y, width: small_width, height: small_height }
        })
        .collect();
    Stage { large, strip, small, below }
}

fn tile_size(columns: usize, rows: usize, area: (f32, f32), gap: f32, narrowest: f32) -> (f32, f32) {
    let cell_width = ((area.0 - gap * (columns - 1) as f32) / columns as f32).max(0.0);
    let cell_height = ((area.1 - gap * (rows - 1) as f32) / rows as f32).max(0.0);
    (cell_width.min(cell_height * TILE_ASPECT), cell_height.min(cell_width / narrowest))
}

fn place(
    count: usize,
    columns: usize,
    (tile, tile_height): (f32, f32),
    area: (f32, f32),
    gap: f32,
) -> Vec<Tile> {
    let rows = count.div_ceil(columns);
    let extent = |n: usize, size: f32| size * n as f32 + gap * (n - 1) as f32;
    let top = ((area.1 - extent(rows, tile_height)) / 2.0).max(0.0);
    let in_row = |row: usize| if row + 1 == rows { count - row * columns } else { columns };
    (0..count)
        .map(|index| {
            let (row, column) = (index / columns, index % columns);
            let left = ((area.0 - extent(in_row(row), tile)) / 2.0).max(0.0);
            Tile {
                x: left + (tile + gap) * column as f32,
                y: top + (tile_height + gap) * row as f32,
                width: tile,
                height: tile_height,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn columns(tiles: &[Tile]) -> usize {
        tiles.iter().filter(|tile| tile.y == tiles[0].y).count()
    }

    #[test]
    fn the_shape_follows_the_area() {
        assert_eq!(columns(&grid(4, 1600.0, 900.0, 8.0, TILE_ASPECT)), 2);
        assert_eq!(columns(&grid(2, 1600.0, 900.0, 8.0, TILE_ASPECT)), 2);
        assert_eq!(columns(&grid(2, 500.0, 900.0, 8.0, TILE_ASPECT)), 1);
        assert_eq!(columns(&grid(3, 3000.0, 400.0, 8.0, TILE_ASPECT)), 3);
        assert_eq!(columns(&grid(8, 1600.0, 900.0, 8.0, TILE_ASPECT)), 3);
        assert!(grid(0, 100.0, 100.0, 8.0, TILE_ASPECT).is_empty());
    }

    #[test]
    fn one_tile_fills_the_area_and_a_short_row_is_centred() {
        assert_eq!(
            grid(1, 1600.0, 900.0, 8.0, TILE_ASPECT),
            [Tile { x: 0.0, y: 0.0, width: 1600.0, height: 900.0 }]
        );
        let tiles = grid(3, 1608.0, 908.0, 8.0, TILE_ASPECT);
        assert_eq!((tiles[0].x, tiles[1].x), (0.0, 808.0));
        assert_eq!(tiles[2].x, 404.0);
    }

    #[test]
    fn tiles_use_the_height_as_far_as_they_may() {
        let tiles = grid(2, 400.0, 708.0, 8.0, 1.0);
        assert_eq!((tiles[0].width, tiles[0].height), (400.0, 350.0));
        let tiles = grid(2, 400.0, 2000.0, 8.0, 4.0 / 3.0);
        assert_eq!((tiles[0].width, tiles[0].height), (400.0, 300.0));
    }

    #[test]
    fn no_room_gives_no_negative_sizes() {
        for (width, height) in [(0.0, 0.0), (5.0, 1000.0), (-10.0, 10.0)] {
            let tiles = grid(9, width, height, 50.0, 1.0);
            assert_eq!(tiles.len(), 9);
            assert!(tiles.iter().all(|tile| tile.width >= 0.0 && tile.height >= 0.0));
        }
    }

    proptest! {
        #[test]
        fn tiles_stay_inside_and_do_not_overlap(
            count in 1_usize..60, width in 200_f32..4000.0, height in 200_f32..3000.0, narrowest in 0.5_f32..1.77,
        ) {
            let gap = 4.0;
            let tiles = grid(count, width, height, gap, narrowest);
            prop_assert_eq!(tiles.len(), count);
            for (index, a) in tiles.iter().enumerate() {
                prop_assert!(a.x >= 0.0 && a.y >= 0.0 && a.width >= 0.0);
                prop_assert!(a.x + a.width <= width + 0.5 && a.y + a.height <= height + 0.5);
                for b in &tiles[..index] {
                    let apart = b.x + b.width <= a.x + 0.5 || a.x + a.width <= b.x + 0.5 || b.y + b.height <= a.y + 0.5;
                    prop_assert!(apart, "{a:?} {b:?}");
                }
            }
        }
    }

    fn apart(a: &Tile, b: &Tile) -> bool {
        let before = |a: &Tile, b: &Tile| a.x + a.width <= b.x + 0.5 || a.y + a.height <= b.y + 0.5;
        before(a, b) || before(b, a)
    }

    #[test]
    fn the_strip_is_where_it_leaves_the_larger_picture() {
        let wide = stage(3, 1600.0, 700.0, 8.0);
        assert!(!wide.below, "a column beside a picture that is as high as the area");
        assert_eq!((wide.large.height, wide.strip.height), (700.0, 700.0));
        let upright = stage(3, 400.0, 700.0, 8.0);
        assert!(upright.below);
        assert_eq!((upright.large.width, upright.strip.width), (400.0, 400.0));
        assert!(wide.large.width > 4.0 * wide.small[0].width);
    }

    #[test]
    fn a_strip_that_is_not_full_is_centred_and_one_that_is_too_full_goes_on() {
        let few = stage(1, 400.0, 700.0, 8.0);
        let ends = (few.small[0].x, 400.0 - few.small[0].x - few.small[0].width);
        assert!(few.below && (ends.0 - ends.1).abs() < 0.01 && ends.0 > 0.0, "{few:?}");
        let many = stage(30, 400.0, 700.0, 8.0);
        assert_eq!((many.small[0].x, many.small[0].height), (0.0, 72.0));
        assert!(many.small[29].x > 400.0);
        // Those that fit when they are lower become so.
        let some = stage(5, 1600.0, 700.0, 8.0);
        assert!(some.small.iter().all(|tile| tile.y + tile.height <= 700.01), "{some:?}");
    }

    #[test]
    fn a_stage_for_one_is_the_whole_area_and_one_without_room_is_empty() {
        let one = stage(0, 640.0, 480.0, 8.0);
        assert_eq!((one.large.width, one.large.height, one.small.len()), (640.0, 480.0, 0));
        for (width, height) in [(0.0, 0.0), (-5.0, 9.0), (3.0, 4000.0)] {
            let stage = stage(7, width, height, 50.0);
            let tiles = stage.small.iter().chain([&stage.large, &stage.strip]);
            for tile in tiles {
                assert!(tile.width >= 0.0 && tile.height >= 0.0, "{stage:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn nobody_covers_anybody_on_a_stage(
            count in 1_usize..40, width in 200_f32..4000.0, height in 200_f32..3000.0,
        ) {
            let stage = stage(count, width, height, 8.0);
            prop_assert_eq!(stage.small.len(), count);
            prop_assert!(apart(&stage.large, &stage.strip));
            for (index, tile) in stage.small.iter().enumerate() {
                prop_assert!(apart(tile, &stage.large));
                prop_assert!(picture_width(tile) <= picture_width(&stage.large) + 0.5, "{:?}", stage);
                let inside = if stage.below {
                    tile.y >= stage.strip.y && tile.y + tile.height <= height + 0.5
                } else {
                    tile.x >= stage.strip.x && tile.x + tile.width <= width + 0.5
                };
                prop_assert!(inside && tile.x >= 0.0 && tile.y >= 0.0);
                for other in &stage.small[..index] {
                    prop_assert!(apart(tile, other));
                }
            }
        }
    }
}
