// Walks a unit of a filter gradient block by block: packs operands and multiplies, while what comes next is fetched.
#include "filter_gradient.h"

/// Rows of operands in a block whose addresses are kept.
#define MOST_RUNS 128

/// Addresses to fetch: `lines` cache lines of each of `count` places.
typedef struct {
    const char *first;
    int64_t stride;
    int32_t count, lines;
} run;

/// What the next block packs, and how much of it has been fetched.
typedef struct {
    run runs[MOST_RUNS];
    int32_t count;
    /// Cache lines, and tiles that fetch them, that are left.
    int32_t lines, tiles;
    int32_t at, line, place;
} fetching;

/// Notes the operands of a row to pack, one of the two pixels of its pairs.
static void note(fetching *ahead, const ck_operand_row *row, const void *pixels, int32_t columns) {
    if (!pixels || ahead->count == MOST_RUNS) { return; }
    const int64_t size = element_size(row->type), column = row->column_stride * size;
    const int64_t bytes = row->channels * size;
    const bool sparse = row->step < row->stride && row->step == 1;
    const int32_t start = larger(row->origin, 0);
    const int32_t end = smaller(columns, sparse ? row->origin + (row->count - 1) * row->stride + 1
                                                : row->origin + row->count);
    if (start >= end) { return; }
    run found = {
        .first = (const char *)pixels + start * column, .stride = (sparse ? row->stride : 1) * column,
        .count = sparse ? parts_of(end - start, row->stride) : end - start, .lines = (int32_t)((bytes + 63) / 64),
    };
    if (found.stride <= found.lines * 64) {
        found.count = (int32_t)(((found.count - 1) * found.stride + bytes + 63) / 64);
        found.stride = 64;
        found.lines = 1;
    }
    ahead->lines += found.count * found.lines;
    ahead->runs[ahead->count++] = found;
}

/// Gives a tile its share of what is to be fetched.
static void share(fetching *ahead, ck_gradient_tile *tile) {
    if (ahead->at == ahead->count) { return; }
    const run *from = &ahead->runs[ahead->at];
    int32_t count = ahead->tiles > 1 ? parts_of(ahead->lines, ahead->tiles) : ahead->lines;
    count = smaller(smaller(count, tile->steps), from->count - ahead->place);
    tile->ahead = from->first + ahead->place * from->stride + ahead->line * 64;
    tile->ahead_stride = from->stride;
    tile->ahead_count = count;
    ahead->tiles--;
    ahead->lines -= count;
    ahead->place += count;
    if (ahead->place < from->count) { return; }
    ahead->place = 0;
    if (++ahead->line < from->lines) { return; }
    ahead->line = 0;
    ahead->at++;
}

/// Part of a filter gradient, and where its operands are.
typedef struct {
    const ck_filter_gradient *gradient;
    ck_gradient_walk walk;
    /// The group's g and x, at the unit's first channels.
    const char *g, *x;
    const float *factors, *terms;
    /// Channels of the unit.
    int32_t channels, depth;
    /// At the unit's first element.
    float *partials;
    float *sums, *packed_x, *packed_g;
    int32_t *offsets;
    /// Whether rows are noted rather than packed.
    bool noting;
    fetching ahead;
} unit;

static void pack(unit *u, const ck_operand_row *row) {
    if (u->noting) {
        note(&u->ahead, row, row->row, row->columns);
        note(&u->ahead, row, row->other, row->other_columns);
    } else if (u->walk.pairs) {
        ck_pack_pairs(row);
    } else if (u->gradient->convolution.instructions >= CK_AVX512) {
        ck_pack_pixels(row);
    } else {
        ck_plain_pack_pixels(row);
    }
}

/// Packs channels `channel ..< channel + channels` of g, rows `first ..< end` and their pairs.
static void pack_gradients(unit *u, int32_t first, int32_t end, int32_t left, int32_t columns, int32_t channel,
                           int32_t channels) {
    const ck_gradient_walk *w = &u->walk;
    const ck_convolution *c = &u->gradient->convolution;
    const int64_t size = element_size(c->in_type), g_row = (int64_t)w->width * c->out_channels * size;
    const int32_t others = w->pairs ? smaller(end, w->rows - w->walked) : first;
    for (int32_t i = first, rows; i < end; i += rows) {
        // Whole rows follow on each other.
        rows = columns < w->width ? 1 : i < others ? others - i : end - i;
        ck_operand_row row = {
            .row = u->g + i * g_row + channel * size,
            .other = i < others ? u->g + (i + w->walked) * g_row + channel * size : NULL,
            .columns = rows * w->width, .other_columns = rows * w->width - (w->pairs ? w->missing : 0),
            .origin = left, .step = 1, .stride = 1, .column_stride = c->out_channels, .count = rows * columns,
            .channels = channels, .type = c->in_type, .out_stride = CK_PANEL,
            .out = u->packed_g + (int64_t)(i - first) * columns * CK_PANEL,
        };
        pack(u, &row);
    }
}

/// Packs x of `rows` output rows from `first` on, all within one image, and of their pairs, as packed rows `x_row`
/// on; they are steps `start` on. Columns are `left ..< left + columns`.
static void pack_inputs(unit *u, int32_t first, int32_t rows, int32_t left, int32_t columns, int32_t start,
                        int32_t x_row) {
    const ck_gradient_walk *w = &u->walk;
    const ck_convolution *c = &u->gradient->convolution;
    const int64_t size = element_size(c->in_type);
    const int32_t other = w->pairs && first + w->walked < w->rows ? first + w->walked : -1;
    const int32_t missing = w->pairs ? w->missing : 0;

    ck_operand_row row = {
        .origin = left * c->stride_wide - c->pad_left, .step = w->step_wide, .stride = c->stride_wide,
        .columns = w->in_width, .other_columns = w->in_width - missing, .column_stride = c->column_stride,
        .count = (columns - 1) * w->step_wide + c->taps_wide, .channels = u->depth,
        .factors = u->factors, .terms = u->terms,
        .relu = u->gradient->relu, .type = c->in_type, .out_stride = w->x_stride,
    };
    const char *x = u->x;
    if (w->folded) {
        x += row.origin * c->column_stride * size;
        row.channels += (int32_t)((columns - 1) * w->x_stride);
        row.origin = 0;
        row.columns = row.other_columns = row.count = 1;
        row.column_stride = row.channels;
    }
    const char *image = x + first / w->height * c->image_stride * size;
    const char *other_image = other < 0 ? NULL : x + other / w->height * c->image_stride * size;
    for (int32_t q = 0; q < (rows - 1) * w->step_high + c->taps_high; q++) {
        const int32_t down = q / w->step_high * c->stride_high + q % w->step_high - c->pad_top;
        const int32_t y = first % w->height * c->stride_high + down;
        row.row = (uint32_t)y < (uint32_t)w->in_height ? image + y * w->row_stride * size : NULL;
        row.other = NULL;
        if (other >= 0) {
            const int32_t below = other % w->height * c->stride_high + down;
            if ((uint32_t)below < (uint32_t)w->in_height) {
                row.other = other_image + below * w->row_stride * size;
            }
        }
        row.out = u->packed_x + (x_row + q) * w->x_row;
        pack(u, &row);
    }
    if (u->noting) { return; }
    for (int32_t i = 0; i < rows; i++) {
        const int64_t place = (x_row + i * w->step_high) * w->x_row;
        for (int32_t j = 0; j < columns; j++) {
            u->offsets[start + i * columns + j] = (int32_t)(place + j * w->step_wide * w->x_stride);
        }
    }
}

/// Rows from `row` on, `most` at most, that are of one image, and so are those paired with them.
static int32_t stretch(const ck_gradient_walk *w, int32_t row, int32_t most) {
    int32_t rows = smaller(most, w->height - row % w->height);
    if (!w->pairs) { return rows; }
    const int32_t other = row + w->walked;
    // The last row may have no other.
    return other >= w->rows ? rows : smaller(smaller(rows, w->height - other % w->height), w->rows - other);
}

/// Rows of the block that starts with row `row`.
static int32_t block_rows(const ck_gradient_walk *w, int32_t row) {
    const int32_t rows = smaller(w->block_rows, w->walked - row);
    return w->within_image ? stretch(w, row, rows) : rows;
}

static void run_tile(const unit *u, const ck_gradient_tile *tile, int32_t vectors, int32_t rows) {
    if (u->walk.pairs) {
        ck_gradient_kernel_bfloat16(vectors, rows)(tile);
    } else if (u->gradient->convolution.instructions >= CK_AVX512) {
        ck_gradient_kernel_float32(vectors, rows)(tile);
    } else {
        ck_plain_gradient_tile(tile, vectors, rows);
    }
}

/// Tiles of all sums.
static int32_t tile_count(const unit *u) {
    const ck_convolution *c = &u->gradient->convolution;
    int32_t tiles = 0;
    for (int32_t panel = 0; panel < u->channels; panel += CK_PANEL) {
        const int32_t vectors = parts_of(smaller(u->channels - panel, CK_PANEL), 16);
        tiles += parts_of(u->depth, ck_tile_pixels(vectors)) * c->taps_high * c->taps_wide;
    }
    return tiles;
}

/// Rows `first ..< end` of a block's columns, whose x is packed as steps `start` on.
typedef struct { int32_t first, end, left, columns, start; } cut;

/// Adds a cut's products to the sums.
static void multiply(unit *u, cut at, bool first, bool last) {
    const ck_convolution *c = &u->gradient->convolution;
    const int32_t taps = c->taps_high * c->taps_wide;
    float *sums = u->sums;
    for (int32_t panel = 0; panel < u->channels; panel += CK_PANEL) {
        const int32_t channels = smaller(u->channels - panel, CK_PANEL), vectors = parts_of(channels, 16);
        const int32_t tiles = parts_of(u->depth, ck_tile_pixels(vectors));
        pack_gradients(u, at.first, at.end, at.left, at.columns, panel, channels);
        for (int32_t tap = 0; tap < taps; tap++) {
            const float *x = u->packed_x + tap / c->taps_wide * u->walk.x_row + tap % c->taps_wide * u->walk.x_stride;
            int32_t k = 0;
            for (int32_t t = 0; t < tiles; t++) {
                // Tiles as equal as can be.
                const int32_t rows = parts_of(u->depth - k, tiles - t);
                ck_gradient_tile tile = {
                    .g = u->packed_g, .x = x + k, .offsets = u->offsets + at.start,
                    .steps = (at.end - at.first) * at.columns, .sums = sums, .first = first,
                    .out_stride = c->out_channels, .channels = channels,
                };
                if (last) {
                    tile.out = u->partials + ((int64_t)tap * c->depth + k) * c->out_channels + panel;
                }
                share(&u->ahead, &tile);
                run_tile(u, &tile, vectors, rows);
                sums += rows * vectors * 16;
                k += rows;
            }
        }
    }
}

/// Packs x of columns `left ..< left + columns` of a block of `rows` output rows from `row` on, or notes what it
/// reads.
static void pack_block(unit *u, int32_t row, int32_t rows, int32_t left, int32_t columns) {
    int32_t x_row = 0;
    for (int32_t done = 0, some; done < rows; done += some) {
        some = stretch(&u->walk, row + done, rows - done);
        pack_inputs(u, row + done, some, left, columns, done * columns, x_row);
        x_row += (some - 1) * u->walk.step_high + u->gradient->convolution.taps_high;
    }
}

/// Rows of the first of the equal cuts of a block of `rows` rows; later ones may have one less.
static int32_t cut_rows(int32_t rows, int32_t columns) {
    return parts_of(rows, parts_of(rows, larger(CK_GRADIENT_STEPS / columns, 1)));
}

/// Notes what is packed after a cut: g of rows `row` on, and x where these start the next block.
static void look_ahead(unit *u, int32_t row, int32_t end, int32_t left) {
    const ck_gradient_walk *w = &u->walk;
    u->ahead = (fetching){.tiles = tile_count(u)};
    if (row == w->walked) { return; }
    const int32_t columns = smaller(w->block_columns, w->width - left);
    u->noting = true;
    if (row == end) {
        end = row + block_rows(w, row);
        pack_block(u, row, end - row, left, columns);
    }
    pack_gradients(u, row, row + cut_rows(end - row, columns), left, columns, 0, u->channels);
    u->noting = false;
}

/// Copies one row of an affine as packing reads it.
static void copy_affine(const float *values, int32_t count, bool pairs, float *to) {
    for (int32_t k = 0; k < parts_of(count, 32) * 32; k++) {
        const int32_t place = pairs ? k / 32 * 32 + k % 2 * 16 + k % 32 / 2 : k;
        to[place] = k < count ? values[k] : 0;
    }
}

void ck_filter_gradient_unit(const ck_filter_gradient *f, int32_t index, const void *g, const void *x,
                             const float *affine, float *partials, void *scratch) {
    if (f->winograd) {
        ck_winograd_gradient_unit(f, index, g, x, affine, partials, scratch);
        return;
    }
    const ck_convolution *c = &f->convolution;
    const int64_t size = element_size(c->in_type);
    const int32_t depths = ck_gradient_depth_blocks(f), blocks = depths * ck_gradient_channel_blocks(f);
    const int32_t depth_start = index % depths * f->depth_block;
    const int32_t channel_start = index % blocks / depths * f->channel_block;
    const int64_t group = index / blocks, images = c->images / f->groups;
    float *memory = (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
    unit u = {
        .gradient = f, .walk = ck_gradient_walk_of(f),
        .g = (const char *)g
            + (group * images * c->out_height * c->out_width * c->out_channels + channel_start) * size,
        .x = (const char *)x + (group * images * c->image_stride + depth_start) * size,
        .channels = smaller(f->channel_block, c->out_channels - channel_start),
        .depth = smaller(f->depth_block, c->depth - depth_start),
    };
    const ck_gradient_walk *w = &u.walk;
    u.partials = partials + (group * c->taps_high * c->taps_wide * c->depth + depth_start) * c->out_channels
        + channel_start;
    u.sums = memory;
    u.packed_x = memory + w->x_start;
    u.packed_g = memory + w->g_start;
    u.offsets = (int32_t *)(memory + w->offsets_start);
    if (affine) {
        float *factors = memory + w->affine_start, *terms = factors + parts_of(u.depth, 32) * 32;
        copy_affine(affine + depth_start, u.depth, w->pairs, factors);
        copy_affine(affine + c->depth + depth_start, u.depth, w->pairs, terms);
        u.factors = factors;
        u.terms = terms;
    }

    for (int32_t row = 0, rows; row < w->walked; row += rows) {
        rows = block_rows(w, row);
        for (int32_t left = 0; left < w->width; left += w->block_columns) {
            const int32_t columns = smaller(w->block_columns, w->width - left);
            pack_block(&u, row, rows, left, columns);
            const bool row_ends = left + columns == w->width;
            const int32_t end = row + rows, next = row_ends ? end : row, next_left = row_ends ? 0 : left + columns;
            for (int32_t first = row, some; first < end; first += some) {
                some = cut_rows(end - first, columns);
                const bool ends = first + some == end;
                if (ends) {
                    look_ahead(&u, next, next, next_left);
                } else {
                    look_ahead(&u, first + some, end, left);
                }
                const cut at = {first, first + some, left, columns, (first - row) * columns};
                multiply(&u, at, first == 0 && left == 0, ends && next == w->walked);
            }
        }
    }
}
