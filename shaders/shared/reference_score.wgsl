    // The frozen second tables' score of the pair.
    for (var k = 0u; k < job.second_dim4; k += 1u) {
        let x = queries_numbers(job.second_queries + row * job.second_stride + k);
        second += dot(x, positives_numbers(job.second_candidates + item * job.second_stride + k));
    }
    second *= parameters.scales.y;
