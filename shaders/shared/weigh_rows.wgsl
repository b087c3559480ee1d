    // The pairs of the lane's rows.
#for i ROWS
#insert weigh_row i=$i
#end
