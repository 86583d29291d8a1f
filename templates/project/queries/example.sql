SELECT count(*), sum(quantity) FROM sales WHERE product = :product
