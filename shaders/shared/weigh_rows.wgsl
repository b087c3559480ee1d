    // The pairs of the lane's rows.
#for i ROWS
#insert weigh_row i=$i
#end
#if UNSCALED
    // Shares hold the scale of scores, which neither column parameters nor the second tile have a part in.
    let unscaled = 1.0 / parameters.scales.x;
#end
