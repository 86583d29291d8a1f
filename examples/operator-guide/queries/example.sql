-- The customers who spent most.
SELECT customer, count(*) AS orders, sum(amount) AS spent
FROM orders
GROUP BY customer
ORDER BY spent DESC, customer
LIMIT 3
