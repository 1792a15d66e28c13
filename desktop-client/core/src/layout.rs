//! Where the tiles of a call go: all of one size, as large as the area allows.

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
}
